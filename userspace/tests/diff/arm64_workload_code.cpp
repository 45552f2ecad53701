// SPDX-License-Identifier: MIT
/*
 * Integer work for the software CPU, valid as C and as C++: linked into the test program as it is, and compiled by
 * arm64_workload.cpp for AArch64 (-x c -ffreestanding -mgeneral-regs-only).  Both must come to the same checksums.
 */
#ifdef __cplusplus
extern "C" unsigned long long arm64_workload(unsigned int which, unsigned int rounds);
#endif

typedef unsigned int u32_t;
typedef unsigned long long u64_t;

static u64_t alu(u32_t rounds)
{
	u64_t x = 0x9e3779b97f4a7c15ull, sum = 0;
	u32_t i;

	for (i = 0; i < rounds * 20000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		sum = sum * 31 + (x >> 32) % 1000 - (u32_t)x;
	}
	return sum;
}

static unsigned char sieve_bytes[65536];

static u64_t sieve(u32_t rounds)
{
	u32_t r, i, j, found = 0;

	for (r = 0; r < rounds; r++) {
		for (i = 0; i < sizeof(sieve_bytes); i++)
			sieve_bytes[i] = 1;
		for (i = 2; i < sizeof(sieve_bytes); i++) {
			if (!sieve_bytes[i])
				continue;
			found++;
			for (j = 2 * i; j < sizeof(sieve_bytes); j += i)
				sieve_bytes[j] = 0;
		}
	}
	return found;
}

static u32_t numbers[4096];

static void quicksort(u32_t *a, int low, int high)
{
	while (low < high) {
		u32_t pivot = a[(low + high) / 2];
		int i = low, j = high;

		while (i <= j) {
			while (a[i] < pivot)
				i++;
			while (a[j] > pivot)
				j--;
			if (i <= j) {
				u32_t t = a[i];

				a[i++] = a[j];
				a[j--] = t;
			}
		}
		if (j - low < high - i) {
			quicksort(a, low, j);
			low = i;
		} else {
			quicksort(a, i, high);
			high = j;
		}
	}
}

static u64_t sort(u32_t rounds)
{
	u64_t sum = 0;
	u32_t r, i, x = 12345;

	for (r = 0; r < rounds; r++) {
		for (i = 0; i < 4096; i++) {
			x = x * 1664525 + 1013904223;
			numbers[i] = x;
		}
		quicksort(numbers, 0, 4095);
		for (i = 0; i < 4096; i++)
			sum = sum * 3 + numbers[i];
	}
	return sum;
}

static const u32_t sha_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
	0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
	0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
	0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
};

static u32_t rotate(u32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static u64_t sha(u32_t rounds)
{
	u32_t h[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	u32_t w[64], r, i, s[8];

	for (r = 0; r < rounds * 100; r++) {
		for (i = 0; i < 16; i++)
			w[i] = h[i & 7] * (i + 1) + r;
		for (i = 16; i < 64; i++) {
			u32_t a = w[i - 15], b = w[i - 2];

			w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] +
			       (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
		}
		for (i = 0; i < 8; i++)
			s[i] = h[i];
		for (i = 0; i < 64; i++) {
			u32_t t1 = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) +
				   ((s[4] & s[5]) ^ (~s[4] & s[6])) + sha_k[i] + w[i];
			u32_t t2 = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) +
				   ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));

			s[7] = s[6];
			s[6] = s[5];
			s[5] = s[4];
			s[4] = s[3] + t1;
			s[3] = s[2];
			s[2] = s[1];
			s[1] = s[0];
			s[0] = t1 + t2;
		}
		for (i = 0; i < 8; i++)
			h[i] += s[i];
	}
	return (u64_t)h[0] << 32 | h[7];
}

#ifdef __GNUC__
__attribute__((noinline))
#endif
static u32_t fibonacci(u32_t n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static u64_t recursion(u32_t rounds)
{
	u64_t sum = 0;
	u32_t r;

	for (r = 0; r < rounds; r++)
		sum = sum * 7 + fibonacci(18 + (r & 1));
	return sum;
}

static u32_t next_link[16384];

static u64_t chase(u32_t rounds)
{
	u32_t i, at = 0, r;

	for (i = 0; i < 16384; i++)
		next_link[i] = (i * 5 + 4099) & 16383;
	for (r = 0; r < rounds * 16384; r++)
		at = next_link[at] ^ (r & 1);
	return at;
}

static u64_t machine(u32_t rounds)
{
	static const unsigned char code[] = { 0, 1, 2, 3, 4, 5, 6, 3, 1, 4, 0, 6, 2, 5, 5, 1 };
	u64_t acc = 1, b = 7;
	u32_t pc;

	for (pc = 0; pc < rounds * 10000; pc++) {
		switch (code[(pc ^ (pc >> 4)) & 15]) {
		case 0: acc += b; break;
		case 1: acc ^= b << 3; break;
		case 2: b = b * 17 + acc; break;
		case 3: acc -= pc; break;
		case 4: b ^= acc >> 5; break;
		case 5: acc = acc << 1 | acc >> 63; break;
		default: b += acc & 255; break;
		}
	}
	return acc ^ b;
}

unsigned long long arm64_workload(unsigned int which, unsigned int rounds)
{
	switch (which) {
	case 0:
		return alu(rounds);
	case 1:
		return sieve(rounds);
	case 2:
		return sort(rounds);
	case 3:
		return sha(rounds);
	case 4:
		return recursion(rounds);
	case 5:
		return chase(rounds);
	default:
		return machine(rounds);
	}
}
