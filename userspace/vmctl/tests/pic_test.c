// SPDX-License-Identifier: GPL-2.0-only
/* the 8259A pair, through its ports as a guest sees it */
#include "fixture.h"

#include "dev/pic.h"

static struct bus bus;
static struct pic pic;
static unsigned int raised;

static void on_raise(void *owner)
{
	raised++;
}

/* as every PC system does it: vectors 0x20 and 0x28, nothing masked */
static void program(void)
{
	outb(&bus, 0x20, 0x11);
	outb(&bus, 0xa0, 0x11);
	outb(&bus, 0x21, 0x20);
	outb(&bus, 0xa1, 0x28);
	outb(&bus, 0x21, 0x04);
	outb(&bus, 0xa1, 0x02);
	outb(&bus, 0x21, 0x01);
	outb(&bus, 0xa1, 0x01);
	outb(&bus, 0x21, 0x00);
	outb(&bus, 0xa1, 0x00);
}

static int setup(void **state)
{
	raised = 0;
	assert_int_equal(pic_init(&pic, &bus, on_raise, NULL), 0);
	program();
	return 0;
}

static int teardown(void **state)
{
	bus_destroy(&bus);
	return 0;
}

static void line(unsigned int nr, bool high)
{
	struct irq irq = pic_irq(&pic, nr);

	irq_set(&irq, high);
}

static void eoi(unsigned int nr)
{
	if (nr >= 8)
		outb(&bus, 0xa0, 0x20);
	outb(&bus, 0x20, 0x20);
}

static void one_interrupt(void **state)
{
	line(0, true);
	assert_true(pic_intr(&pic));
	assert_int_equal(raised, 1);
	assert_int_equal(pic_ack(&pic), 0x20);
	assert_false(pic_intr(&pic));
	eoi(0);
	assert_false(pic_intr(&pic));	/* the edge is used up */
	line(0, false);
	line(0, true);
	assert_int_equal(raised, 2);
	assert_int_equal(pic_ack(&pic), 0x20);
}

static void edge_before_eoi(void **state)
{
	line(0, true);
	assert_int_equal(pic_ack(&pic), 0x20);
	line(0, false);
	line(0, true);			/* remembered until the service ends */
	assert_false(pic_intr(&pic));
	eoi(0);
	assert_true(pic_intr(&pic));
	assert_int_equal(pic_ack(&pic), 0x20);
}

static void withdrawn(void **state)
{
	line(4, true);
	line(4, false);
	assert_false(pic_intr(&pic));
	assert_int_equal(pic_ack(&pic), 0x27);		/* spurious */
	outb(&bus, 0x20, 0x0b);
	assert_int_equal(inb(&bus, 0x20), 0);		/* and not in service */
}

static void priorities(void **state)
{
	line(4, true);
	assert_int_equal(pic_ack(&pic), 0x24);
	line(5, true);			/* lower: waits */
	assert_false(pic_intr(&pic));
	line(1, true);			/* higher: nests */
	assert_int_equal(pic_ack(&pic), 0x21);
	eoi(1);				/* ends the higher one */
	assert_false(pic_intr(&pic));
	eoi(4);
	assert_int_equal(pic_ack(&pic), 0x25);
}

static void cascade(void **state)
{
	line(8, true);
	line(14, true);
	assert_int_equal(pic_ack(&pic), 0x28);
	outb(&bus, 0x20, 0x0b);
	outb(&bus, 0xa0, 0x0b);
	assert_int_equal(inb(&bus, 0x20), 0x04);
	assert_int_equal(inb(&bus, 0xa0), 0x01);
	assert_false(pic_intr(&pic));
	eoi(8);
	assert_true(pic_intr(&pic));
	assert_int_equal(pic_ack(&pic), 0x2e);
	eoi(14);
	assert_false(pic_intr(&pic));
}

/* the second chip's end of service alone must not lose the next request */
static void cascade_eoi_order(void **state)
{
	line(9, true);
	assert_int_equal(pic_ack(&pic), 0x29);
	line(10, true);
	outb(&bus, 0x20, 0x20);		/* the first chip first */
	assert_false(pic_intr(&pic));
	outb(&bus, 0xa0, 0x20);
	assert_true(pic_intr(&pic));
	assert_int_equal(pic_ack(&pic), 0x2a);
}

static void masking(void **state)
{
	outb(&bus, 0x21, 0x10);
	line(4, true);
	assert_false(pic_intr(&pic));
	assert_int_equal(inb(&bus, 0x21), 0x10);
	outb(&bus, 0x20, 0x0a);
	assert_int_equal(inb(&bus, 0x20), 0x10);	/* requested nevertheless */
	outb(&bus, 0x21, 0);
	assert_true(pic_intr(&pic));
	outb(&bus, 0x21, 0x10);				/* and back again */
	assert_false(pic_intr(&pic));
}

static void level_triggered(void **state)
{
	outb(&bus, 0x4d1, 0xff);
	assert_int_equal(inb(&bus, 0x4d1), 0xde);	/* 8 and 13 stay edges */
	outb(&bus, 0x4d0, 0xff);
	assert_int_equal(inb(&bus, 0x4d0), 0xf8);
	line(9, true);
	assert_int_equal(pic_ack(&pic), 0x29);
	eoi(9);
	assert_int_equal(pic_ack(&pic), 0x29);		/* still asserted */
	line(9, false);
	eoi(9);
	assert_false(pic_intr(&pic));
}

static void auto_eoi(void **state)
{
	outb(&bus, 0x20, 0x11);
	outb(&bus, 0x21, 0x20);
	outb(&bus, 0x21, 0x04);
	outb(&bus, 0x21, 0x03);
	line(3, true);
	assert_int_equal(pic_ack(&pic), 0x23);
	line(3, false);
	line(3, true);
	assert_int_equal(pic_ack(&pic), 0x23);		/* no EOI needed */
}

static void specific_eoi_and_rotation(void **state)
{
	line(1, true);
	assert_int_equal(pic_ack(&pic), 0x21);
	outb(&bus, 0x20, 0xe1);		/* specific, and 1 is the lowest now */
	line(1, false);
	line(1, true);
	line(7, true);
	assert_int_equal(pic_ack(&pic), 0x27);
	outb(&bus, 0x20, 0x67);
	assert_int_equal(pic_ack(&pic), 0x21);
	outb(&bus, 0x20, 0x61);
	outb(&bus, 0x20, 0xc7);		/* set the priorities as they were */
	line(0, true);
	line(6, true);
	assert_int_equal(pic_ack(&pic), 0x20);
}

static void special_mask(void **state)
{
	line(1, true);
	assert_int_equal(pic_ack(&pic), 0x21);
	line(6, true);
	assert_false(pic_intr(&pic));
	outb(&bus, 0x21, 0x02);
	outb(&bus, 0x20, 0x68);		/* what is masked blocks nobody */
	assert_true(pic_intr(&pic));
	assert_int_equal(pic_ack(&pic), 0x26);
}

static void polling(void **state)
{
	outb(&bus, 0x20, 0x0c);
	assert_int_equal(inb(&bus, 0x20), 0);
	line(5, true);
	outb(&bus, 0x20, 0x0c);
	assert_int_equal(inb(&bus, 0x20), 0x85);
	assert_false(pic_intr(&pic));
	outb(&bus, 0x20, 0x0b);
	assert_int_equal(inb(&bus, 0x20), 0x20);	/* in service */
}

static void silent_until_programmed(void **state)
{
	pic.chip[0].imr = 0;
	outb(&bus, 0x20, 0x11);
	line(0, true);
	assert_false(pic_intr(&pic));
	outb(&bus, 0x21, 0x20);
	outb(&bus, 0x21, 0x04);
	assert_false(pic_intr(&pic));
	outb(&bus, 0x21, 0x01);
	assert_true(pic_intr(&pic));
}

#define PIC_TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	PIC_TEST(one_interrupt),
	PIC_TEST(edge_before_eoi),
	PIC_TEST(withdrawn),
	PIC_TEST(priorities),
	PIC_TEST(cascade),
	PIC_TEST(cascade_eoi_order),
	PIC_TEST(masking),
	PIC_TEST(level_triggered),
	PIC_TEST(auto_eoi),
	PIC_TEST(specific_eoi_and_rotation),
	PIC_TEST(special_mask),
	PIC_TEST(polling),
	PIC_TEST(silent_until_programmed),
};

int main(void)
{
	return test_main("pic", tests, ARRAY_SIZE(tests));
}
