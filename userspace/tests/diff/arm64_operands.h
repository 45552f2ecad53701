// SPDX-License-Identifier: MIT
// Random operands that make carries, rounding, saturation, subnormal numbers and NaNs happen.
#pragma once

#include <cstdint>
#include <iterator>
#include <random>

namespace arm64_operands {

using Rng = std::mt19937_64;

inline uint64_t random_float(Rng &random, int exponent_bits, int fraction_bits)
{
	uint64_t bias = (1ull << (exponent_bits - 1)) - 1, max = 2 * bias + 1, exponent, fraction = random() & ((1ull << fraction_bits) - 1);
	switch (random() % 8) {
	case 0: exponent = random() % 3; break;
	case 1: exponent = max - random() % 3; break;
	case 2: exponent = random() & max; break;
	case 3: exponent = bias + random() % (exponent_bits == 5 ? 15 : 66); break;
	case 4: exponent = exponent_bits == 11 ? 1023 - 127 - 30 + random() % 40 : random() & max; break;
	default: exponent = bias - 8 + random() % 16; break;
	}
	switch (random() % 6) {
	case 0: fraction = 0; break;
	case 1: fraction = (1ull << fraction_bits) - 1; break;
	case 2: fraction = 1ull << (random() % fraction_bits); break;
	case 3: fraction &= ~0ull << (random() % fraction_bits); break;
	default: break;
	}
	return (random() & 1) << (exponent_bits + fraction_bits) | (exponent & max) << fraction_bits | fraction;
}

inline uint64_t random_lanes(Rng &random)
{
	static const uint64_t corners[] = {0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 1ull << 63, ~0ull >> 1, ~0ull};
	uint64_t v = 0;
	switch (random() % 8) {
	case 0:
	case 1: return random_float(random, 11, 52);
	case 2:
	case 3: return random_float(random, 8, 23) << 32 | random_float(random, 8, 23);
	case 4:
		for (int i = 0; i < 4; i++)
			v = v << 16 | random_float(random, 5, 10);
		return v;
	case 5: return corners[random() % std::size(corners)] * (random() & 1 ? 0x0000000100000001ull : 1);
	case 6:
		for (int i = 0; i < 8; i++)
			v = v << 8 | (corners[random() % 5] + random() % 3);
		return v;
	default: return random();
	}
}

inline uint64_t random_integer(Rng &random)
{
	uint64_t v = random() >> (random() % 64);
	return random() & 1 ? v : 0 - v;
}

}
