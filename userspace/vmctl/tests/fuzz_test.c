// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzz target of the network device on a fixed number of inputs, the same ones each
 * time: random bytes, with what a driver writes among them.  `make fuzz` goes further.
 */
#include "fixture.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define INPUTS		3000
#define INPUT_MAX	512

static u64 seed = 0x9e3779b97f4a7c15;

/* xorshift64* */
static u32 random32(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 0x2545f4914f6cdd1dull >> 32;
}

/* actions as the target reads them: descriptors, then the write that has them looked at */
static const u8 tx_and_poll[] = {
	7, 1, 60, 0, 0, 0xb0, 0, 0, 0, 0, 0x00, 0x01, 0x00, 0x80,
	1, 0xd9, 0, 0x40, 0, 0, 0, 11, 1, 0,
};

static const u8 rx_and_frame[] = {
	7, 0, 0, 6, 0, 0x80, 0, 0, 0, 0, 0x00, 0x01, 0x00, 0x80,
	9, 20, 100, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0x45,
};

static size_t place(u8 *data, size_t at, const u8 *what, size_t len)
{
	if (len > INPUT_MAX - at)
		return at;
	memcpy(data + at, what, len);
	return at + len;
}

static void fixed_inputs(void **state)
{
	u8 data[INPUT_MAX];
	unsigned int i;
	size_t at, len;

	for (i = 0; i < INPUTS; i++) {
		len = random32() % INPUT_MAX;
		for (at = 0; at < len;) {
			u32 what = random32();

			if (what % 8 == 0)
				at = place(data, at, tx_and_poll, sizeof(tx_and_poll));
			else if (what % 8 == 1)
				at = place(data, at, rx_and_frame, sizeof(rx_and_frame));
			data[at < INPUT_MAX ? at++ : 0] = what >> 8;
		}
		assert_int_equal(LLVMFuzzerTestOneInput(data, len), 0);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(fixed_inputs),
};

int main(void)
{
	test_silence();
	return test_main("fuzz", tests, ARRAY_SIZE(tests));
}
