/* SPDX-License-Identifier: MIT */
/*
 * One integer workload in C, for every CPU that is compared: the guests and the benchmark's native run compile this very
 * text.  Eight kernels; each returns a checksum that does not depend on the machine.
 */
#ifndef MV_WORKLOAD_H
#define MV_WORKLOAD_H

typedef unsigned char w8;
typedef unsigned int w32;
typedef unsigned long long w64;

#define WORKLOAD_KERNELS 8
#define WORKLOAD_NAMES { "alu", "sieve", "sha256", "quicksort", "list", "bytecode", "copy", "recursion" }

#ifndef WORKLOAD_FN
#define WORKLOAD_FN static __attribute__((noinline, unused))
#endif

static w32 workload_words[16384];
static w8 workload_bytes[65536];

WORKLOAD_FN w32 workload_alu(w32 scale)
{
	w32 a = 0x12345678, b = 0x9e3779b9, i;

	for (i = 0; i < scale * 40000; i++) {
		a ^= a << 13;
		a ^= a >> 17;
		a ^= a << 5;
		b = b * 1664525u + a;
		if (b & 0x80)
			a += i;
	}
	return a ^ b;
}

WORKLOAD_FN w32 workload_sieve(w32 scale)
{
	w32 n = 0, round, i, k;

	for (round = 0; round < scale; round++) {
		for (i = 0; i < sizeof(workload_bytes); i++)
			workload_bytes[i] = 1;
		for (i = 2; i * i < sizeof(workload_bytes); i++) {
			if (!workload_bytes[i])
				continue;
			for (k = i * i; k < sizeof(workload_bytes); k += i)
				workload_bytes[k] = 0;
		}
		for (i = 2; i < sizeof(workload_bytes); i++)
			n += workload_bytes[i];
	}
	return n;
}

/* FIPS 180-4, section 6.2: the compression function over a message schedule of pseudo-random blocks */
WORKLOAD_FN w32 workload_sha256(w32 scale)
{
	static const w32 k[64] = {
		0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
		0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
		0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
		0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
		0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
		0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
		0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
		0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
	};
	w32 h[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	w32 w[64], v[8], i, block, t1, t2, seed = 1;

#define ROR(x, n) ((x) >> (n) | (x) << (32 - (n)))
	for (block = 0; block < scale * 150; block++) {
		for (i = 0; i < 16; i++)
			w[i] = seed = seed * 1664525u + 1013904223u;
		for (; i < 64; i++)
			w[i] = w[i - 16] + w[i - 7] + (ROR(w[i - 15], 7) ^ ROR(w[i - 15], 18) ^ w[i - 15] >> 3) +
			       (ROR(w[i - 2], 17) ^ ROR(w[i - 2], 19) ^ w[i - 2] >> 10);
		for (i = 0; i < 8; i++)
			v[i] = h[i];
		for (i = 0; i < 64; i++) {
			t1 = v[7] + (ROR(v[4], 6) ^ ROR(v[4], 11) ^ ROR(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
			t2 = (ROR(v[0], 2) ^ ROR(v[0], 13) ^ ROR(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
			v[7] = v[6];
			v[6] = v[5];
			v[5] = v[4];
			v[4] = v[3] + t1;
			v[3] = v[2];
			v[2] = v[1];
			v[1] = v[0];
			v[0] = t1 + t2;
		}
		for (i = 0; i < 8; i++)
			h[i] += v[i];
	}
#undef ROR
	return h[0] ^ h[7];
}

WORKLOAD_FN void workload_sort(w32 *a, int low, int high)
{
	int i, k;
	w32 pivot, t;

	while (low < high) {
		pivot = a[(low + high) / 2];
		for (i = low, k = high; i <= k;) {
			while (a[i] < pivot)
				i++;
			while (a[k] > pivot)
				k--;
			if (i <= k) {
				t = a[i];
				a[i++] = a[k];
				a[k--] = t;
			}
		}
		workload_sort(a, low, k);
		low = i;
	}
}

WORKLOAD_FN w32 workload_quicksort(w32 scale)
{
	w32 seed = 7, sum = 0, round, i;

	for (round = 0; round < scale * 3; round++) {
		for (i = 0; i < 4096; i++)
			workload_words[i] = seed = seed * 1664525u + 1013904223u;
		workload_sort(workload_words, 0, 4095);
		sum = sum * 31 + workload_words[round % 4096] + workload_words[4095];
	}
	return sum;
}

WORKLOAD_FN w32 workload_list(w32 scale)
{
	w32 i, at = 0, sum = 0;

	/* a full cycle through 16384 places: multiplier 1 mod 4, odd increment */
	for (i = 0; i < 16384; i++)
		workload_words[i] = (i * 4093u + 7919u) & 16383u;
	for (i = 0; i < scale * 80000; i++) {
		at = workload_words[at];
		sum += at ^ i;
	}
	return sum;
}

WORKLOAD_FN w32 workload_bytecode(w32 scale)
{
	/* push-free machine: op, operand; sums i * 3 ^ i for a counted loop */
	static const w8 code[] = { 0, 3, 1, 0, 2, 5, 3, 7, 4, 1, 5, 0, 6, 0 };
	w32 a = 1, b = 0, n = scale * 12000, pc = 0;

	for (;;) {
		w8 op = code[pc], operand = code[pc + 1];

		pc += 2;
		switch (op) {
		case 0:
			a = a * operand;
			break;
		case 1:
			b += a;
			break;
		case 2:
			a ^= b >> operand;
			break;
		case 3:
			b = (b << operand) | (b >> (32 - operand));
			break;
		case 4:
			a += operand;
			break;
		case 5:
			if (--n)
				pc = 0;
			break;
		default:
			return a ^ b;
		}
	}
}

WORKLOAD_FN w32 workload_copy(w32 scale)
{
	w64 *from = (w64 *)(void *)workload_words, *to = (w64 *)(void *)workload_bytes;
	w64 sum = 0;
	w32 round, i;

	for (i = 0; i < 8192; i++)
		from[i] = (w64)i * 0x9e3779b97f4a7c15ull;
	for (round = 0; round < scale * 20; round++) {
		for (i = 0; i < 8192; i++)
			to[i] = from[i] + round;
		sum += to[round & 8191];
	}
	return (w32)sum ^ (w32)(sum >> 32);
}

WORKLOAD_FN w32 workload_fib(w32 n)
{
	return n < 2 ? n : workload_fib(n - 1) + workload_fib(n - 2);
}

WORKLOAD_FN w32 workload_run(w32 kernel, w32 scale)
{
	w32 i, sum = 0;

	switch (kernel) {
	case 0:
		return workload_alu(scale);
	case 1:
		return workload_sieve(scale);
	case 2:
		return workload_sha256(scale);
	case 3:
		return workload_quicksort(scale);
	case 4:
		return workload_list(scale);
	case 5:
		return workload_bytecode(scale);
	case 6:
		return workload_copy(scale);
	default:
		for (i = 0; i < scale; i++)
			sum += workload_fib(19 + (i & 1));
		return sum;
	}
}

#endif
