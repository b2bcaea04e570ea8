// SPDX-License-Identifier: GPL-2.0-only
/* the small devices: power-off, reset, panic, debug exit; and the ACPI tables */
#include "fixture.h"

#include <string.h>

#include "dev/acpi_pm.h"
#include "dev/debugexit.h"
#include "dev/i8042.h"
#include "dev/pvpanic.h"
#include "firmware/acpi_tables.h"
#include "firmware/aml.h"
#include "firmware/firmware.h"

static struct bus bus;
static struct test_power power;
static struct test_line sci;
static struct acpi_pm pm;
static struct i8042 kbc;

static int setup(void **state)
{
	test_power_init(&power);
	assert_int_equal(acpi_pm_init(&pm, &bus, test_irq(&sci), &power.power), 0);
	assert_int_equal(i8042_init(&kbc, &bus, &power.power), 0);
	assert_int_equal(pvpanic_init(&bus, &power.power), 0);
	assert_int_equal(debugexit_init(&bus, &power.power), 0);
	return 0;
}

static int teardown(void **state)
{
	bus_destroy(&bus);
	return 0;
}

static void assert_end(enum end_cause cause, u32 value)
{
	assert_int_equal(power.ends, 1);
	assert_int_equal(power.cause, cause);
	assert_int_equal(power.value, value);
	test_power_init(&power);
}

static void acpi_power_off(void **state)
{
	assert_int_equal(port_in(&bus, 0x604, 2), 1);	/* in ACPI mode */
	port_out(&bus, 0x604, ACPI_S5_TYPE << 10 | 1, 2);
	assert_int_equal(power.ends, 0);
	port_out(&bus, 0x604, 7 << 10 | 0x2000, 2);	/* another sleep state */
	assert_int_equal(power.ends, 0);
	port_out(&bus, 0x604, ACPI_S5_TYPE << 10 | 0x2001, 2);
	assert_end(END_POWEROFF, 0);
	outb(&bus, 0x604, 0);
	outb(&bus, 0x605, ACPI_S5_TYPE << 2 | 0x20);	/* by bytes */
	assert_end(END_POWEROFF, 0);
	assert_int_equal(port_in(&bus, 0x604, 2) & 0x2000, 0);
}

static void acpi_events(void **state)
{
	assert_int_equal(port_in(&bus, 0x600, 4), 0);
	port_out(&bus, 0x602, 1, 2);			/* the timer's event */
	assert_int_equal(port_in(&bus, 0x602, 2), 1);
	test_now += 599 * NSEC_PER_SEC;
	assert_int_equal(port_in(&bus, 0x600, 2), 0);
	test_now += 2 * NSEC_PER_SEC;			/* bit 31 has changed */
	assert_int_equal(port_in(&bus, 0x600, 2), 1);
	assert_true(sci.high);
	port_out(&bus, 0x600, 0, 2);			/* zeroes clear nothing */
	assert_true(sci.high);
	port_out(&bus, 0x600, 1, 2);
	assert_false(sci.high);
	assert_int_equal(inb(&bus, 0x602), 1);
	port_out(&bus, 0x600, 0x01000000, 4);		/* both registers at once */
	assert_int_equal(port_in(&bus, 0x600, 4), 0x01000000);
	outb(&bus, 0x603, 0x12);
	assert_int_equal(port_in(&bus, 0x602, 2), 0x1200);
}

static void acpi_timer(void **state)
{
	u32 before = port_in(&bus, 0x608, 4);

	test_now += NSEC_PER_SEC;
	assert_in_range(port_in(&bus, 0x608, 4) - before, 3579544, 3579546);
	port_out(&bus, 0x608, 0, 4);
	assert_in_range(port_in(&bus, 0x608, 4) - before, 3579544, 3579546);
}

static void resets(void **state)
{
	outb(&bus, 0xcf9, 0x02);
	assert_int_equal(power.ends, 0);
	outb(&bus, 0xcf9, ACPI_RESET_VALUE);
	assert_end(END_RESET, 0);
	outb(&bus, 0x64, 0xfe);
	assert_end(END_RESET, 0);
	outb(&bus, 0x64, 0xff);				/* pulses nothing */
	assert_int_equal(power.ends, 0);
	outb(&bus, 0x64, 0xd1);
	outb(&bus, 0x60, 0xdf);
	assert_int_equal(power.ends, 0);
	outb(&bus, 0x64, 0xd1);
	outb(&bus, 0x60, 0xde);
	assert_end(END_RESET, 0);
	outb(&bus, 0x92, 0x02);
	assert_int_equal(power.ends, 0);
	outb(&bus, 0x92, 0x03);
	assert_end(END_RESET, 0);
}

static void keyboard_controller(void **state)
{
	assert_int_equal(inb(&bus, 0x64) & 3, 0);	/* nothing to read, may write */
	outb(&bus, 0x64, 0xaa);
	assert_int_equal(inb(&bus, 0x64) & 1, 1);
	assert_int_equal(inb(&bus, 0x60), 0x55);
	assert_int_equal(inb(&bus, 0x64) & 1, 0);
	outb(&bus, 0x64, 0x60);
	outb(&bus, 0x60, 0x47);
	outb(&bus, 0x64, 0x20);
	assert_int_equal(inb(&bus, 0x60), 0x47);
	outb(&bus, 0x64, 0xd0);
	assert_int_equal(inb(&bus, 0x60) & 3, 3);	/* A20 open, no reset */
	outb(&bus, 0x60, 0xed);				/* no keyboard answers */
	assert_int_equal(inb(&bus, 0x64) & 1, 0);
	assert_int_equal(inb(&bus, 0x92), 2);
}

static void panics(void **state)
{
	assert_int_equal(inb(&bus, 0x505), 3);
	outb(&bus, 0x505, 2);
	assert_int_equal(power.ends, 0);
	outb(&bus, 0x505, 1);
	assert_end(END_PANIC, 0);
}

static void debug_exits(void **state)
{
	outb(&bus, 0xf4, 0);
	assert_end(END_DEBUG_EXIT, 0);
	port_out(&bus, 0xf4, 0x12345678, 4);
	assert_end(END_DEBUG_EXIT, 0x12345678);
	port_out(&bus, 0xf4, 0xffff, 2);
	assert_end(END_DEBUG_EXIT, 0xffff);
	outb(&bus, 0xf5, 1);
	assert_int_equal(power.ends, 0);
}

static u8 checksum(const u8 *table, u32 len)
{
	u8 sum = 0;

	while (len--)
		sum += *table++;
	return sum;
}

static const u8 *table_at(const struct memory *mem, u64 gpa, const char *signature)
{
	const u8 *header = memory_ptr(mem, gpa, 36);
	u32 len;

	assert_non_null(header);
	assert_memory_equal(header, signature, 4);
	memcpy(&len, header + 4, 4);
	assert_non_null(memory_ptr(mem, gpa, len));
	assert_int_equal(checksum(header, len), 0);
	return header;
}

/* follows the pointers as a system would */
static void acpi_tables(void **state)
{
	struct firmware firmware;
	struct memory mem;
	const u8 *rsdp, *fadt;
	u64 xsdt, entry;
	u32 dsdt, rsdt;
	u16 ebda;

	assert_int_equal(memory_create(&mem, 2 * MIB), 0);
	assert_int_equal(firmware_install(&mem, &firmware), 0);
	assert_true(firmware.rsdp >= 0xe0000 && firmware.rsdp < MIB);
	assert_int_equal(firmware.rsdp % 16, 0);
	rsdp = memory_ptr(&mem, firmware.rsdp, 36);
	assert_memory_equal(rsdp, "RSD PTR ", 8);
	assert_int_equal(checksum(rsdp, 20), 0);
	assert_int_equal(checksum(rsdp, 36), 0);
	memcpy(&rsdt, rsdp + 16, 4);
	memcpy(&xsdt, rsdp + 24, 8);
	memcpy(&entry, table_at(&mem, xsdt, "XSDT") + 36, 8);
	assert_memory_equal(table_at(&mem, rsdt, "RSDT") + 36, &entry, 4);
	fadt = table_at(&mem, entry, "FACP");
	assert_int_equal(fadt[4], 244);
	memcpy(&dsdt, fadt + 40, 4);
	assert_memory_equal(fadt + 140, fadt + 40, 4);
	table_at(&mem, dsdt, "DSDT");
	assert_int_equal(fadt[46], 9);
	assert_memory_equal(fadt + 64, "\x04\x06\0\0", 4);	/* PM1a control */
	assert_int_equal(fadt[128], ACPI_RESET_VALUE);
	memcpy(&ebda, memory_ptr(&mem, 0x40e, 2), 2);
	assert_int_equal(ebda << 4, MEM_EBDA);
	memory_destroy(&mem);
}

static void aml_forms(void **state)
{
	static const u8 want[] = {
		0x10, 0x44, 0x01, '\\', '_', 'S', 'B', '_',	/* 20 bytes */
		0x08, 'A', 'A', 'A', 'A', 0x0a, 0x12,
		0x08, 'B', 'B', 'B', 'B', 0x01,
	};
	static const u8 eisa[] = { 0x08, 'H', 'I', 'D', '_', 0x0c, 0x41, 0xd0, 0x05, 0x01 };
	struct aml aml = { 0 };
	size_t scope = aml_scope(&aml, "\\_SB_");

	aml_name_int(&aml, "AAAA", 0x12);
	aml_name_int(&aml, "BBBB", 1);
	aml_close(&aml, scope);
	assert_int_equal(aml.len, sizeof(want));
	assert_memory_equal(aml.buf, want, sizeof(want));
	aml = (struct aml){ 0 };
	aml_name_eisa_id(&aml, "HID_", "PNP0501");
	assert_int_equal(aml.len, sizeof(eisa));
	assert_memory_equal(aml.buf, eisa, sizeof(eisa));
}

static void aml_overflow(void **state)
{
	struct aml aml = { 0 };
	unsigned int i;
	size_t scope = aml_scope(&aml, "\\_SB_");

	for (i = 0; i < 1000; i++)
		aml_name_int(&aml, "AAAA", i);
	aml_close(&aml, scope);
	assert_true(aml.overflow);
	assert_true(aml.len <= AML_MAX);
}

#define DEVICE_TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	DEVICE_TEST(acpi_power_off),
	DEVICE_TEST(acpi_events),
	DEVICE_TEST(acpi_timer),
	DEVICE_TEST(resets),
	DEVICE_TEST(keyboard_controller),
	DEVICE_TEST(panics),
	DEVICE_TEST(debug_exits),
	cmocka_unit_test(acpi_tables),
	cmocka_unit_test(aml_forms),
	cmocka_unit_test(aml_overflow),
};

int main(void)
{
	return test_main("device", tests, ARRAY_SIZE(tests));
}
