// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ACPI tables of the machine (ACPI 6.4, chapter 5.2): enough for a system to
 * find its power-off, its reset, the timer, the serial port, the panic device and PCI.
 *
 * There is no MADT, since there is no APIC: systems then use the 8259 pair, and the
 * SCI arrives there.  The tables lie where firmware of a PC has them, so that systems
 * that are not told the address find them by a scan.
 */
#include <string.h>

#include "../dev/acpi_pm.h"
#include "../dev/cmos.h"
#include "../dev/pci.h"
#include "../dev/pvpanic.h"
#include "../dev/uart16550.h"
#include "../msg.h"
#include "acpi_tables.h"
#include "aml.h"

#define TABLE_ALIGN	64

struct acpi_rsdp {
	char signature[8];
	u8 checksum;
	char oem_id[6];
	u8 revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
	u8 checksum_all;
	u8 reserved[3];
} __packed;

struct acpi_header {
	char signature[4];
	u32 length;
	u8 revision;
	u8 checksum;
	char oem_id[6];
	char oem_table_id[8];
	u32 oem_revision;
	char creator_id[4];
	u32 creator_revision;
} __packed;

struct acpi_address {
	u8 space;		/* 1: ports */
	u8 bits, offset;
	u8 access;		/* 1, 2, 3: 1, 2, 4 bytes at once */
	u64 address;
} __packed;

struct acpi_rsdt {
	struct acpi_header header;
	u32 entry[1];
} __packed;

struct acpi_xsdt {
	struct acpi_header header;
	u64 entry[1];
} __packed;

struct acpi_fadt {	/* version 3 */
	struct acpi_header header;
	u32 facs, dsdt;
	u8 reserved1, profile;
	u16 sci_irq;
	u32 smi_command;
	u8 acpi_enable, acpi_disable, s4bios, pstate_control;
	u32 pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control;
	u32 pm_timer, gpe0, gpe1;
	u8 pm1_event_len, pm1_control_len, pm2_control_len, pm_timer_len;
	u8 gpe0_len, gpe1_len, gpe1_base, cstate_control;
	u16 c2_latency, c3_latency, flush_size, flush_stride;
	u8 duty_offset, duty_width, day_alarm, month_alarm, century;
	u16 boot_flags;
	u8 reserved2;
	u32 flags;
	struct acpi_address reset;
	u8 reset_value;
	u8 reserved3[3];
	u64 x_facs, x_dsdt;
	struct acpi_address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control;
	struct acpi_address x_pm2_control, x_pm_timer, x_gpe0, x_gpe1;
} __packed;

struct acpi_facs {
	char signature[4];
	u32 length;
	u32 hardware_signature, waking_vector, lock, flags;
	u64 x_waking_vector;
	u8 version;
	u8 reserved[31];
} __packed;

#define FADT_WBINVD		BIT(0)
#define FADT_C1			BIT(2)
#define FADT_NO_POWER_BUTTON	BIT(4)	/* not in the fixed hardware */
#define FADT_NO_SLEEP_BUTTON	BIT(5)
#define FADT_TIMER_32_BITS	BIT(8)
#define FADT_RESET		BIT(10)

#define BOOT_LEGACY_DEVICES	BIT(0)
#define BOOT_NO_VGA		BIT(2)
#define BOOT_NO_MSI		BIT(3)
/* bit 1 is clear: do not look for a keyboard */

/* where the next table goes */
struct acpi_area {
	const struct memory *mem;
	u64 next, end;
};

static u8 acpi_checksum(const void *table, size_t len)
{
	const u8 *byte = table;
	u8 sum = 0;

	while (len--)
		sum += *byte++;
	return -sum;
}

/* copies a table into the guest; 0 when the area is full */
static u64 acpi_place(struct acpi_area *area, const void *table, size_t len)
{
	u64 gpa = area->next;
	void *to = memory_ptr(area->mem, gpa, len);

	if (!to || len > area->end - gpa)
		return 0;
	memcpy(to, table, len);
	area->next = align_up(gpa + len, TABLE_ALIGN);
	return gpa;
}

static void acpi_header(struct acpi_header *header, const char *signature, u8 revision,
			u32 length)
{
	memcpy(header->signature, signature, 4);
	header->length = length;
	header->revision = revision;
	memcpy(header->oem_id, "MHV   ", 6);
	memcpy(header->oem_table_id, "VMCTL   ", 8);
	header->oem_revision = 1;
	memcpy(header->creator_id, "MHV ", 4);
	header->creator_revision = 1;
}

/* completes a table that begins with @header and places it */
static u64 acpi_table(struct acpi_area *area, struct acpi_header *header)
{
	header->checksum = acpi_checksum(header, header->length);
	return acpi_place(area, header, header->length);
}

/* a device of ports @port.. and, unless 0, interrupt @irq */
static void aml_port_device(struct aml *aml, u16 port, u8 len, unsigned int irq)
{
	size_t resources;

	aml_name_int(aml, "_STA", 0x0f);
	resources = aml_name_resources(aml, "_CRS");
	aml_io(aml, port, len);
	if (irq)
		aml_irq(aml, irq);
	aml_close_resources(aml, resources);
}

/* _PRT: for each slot and pin its input of the 8259 pair, which nothing can change */
static void aml_pci_routing(struct aml *aml)
{
	size_t table = aml_name_package(aml, "_PRT", 4 * PCI_SLOTS), entry;
	unsigned int slot, pin;

	for (slot = 0; slot < PCI_SLOTS; slot++) {
		for (pin = 0; pin < 4; pin++) {
			entry = aml_package(aml, 4);
			aml_int(aml, slot << 16 | 0xffff);
			aml_int(aml, pin);
			aml_int(aml, 0);
			aml_int(aml, pci_slot_irq(slot, pin));
			aml_close(aml, entry);
		}
	}
	aml_close(aml, table);
}

static void aml_pci_bridge(struct aml *aml)
{
	size_t device = aml_device(aml, "PCI0"), resources;

	aml_name_eisa_id(aml, "_HID", "PNP0A03");
	aml_name_int(aml, "_UID", 0);
	aml_name_int(aml, "_BBN", 0);
	resources = aml_name_resources(aml, "_CRS");
	aml_bus_window(aml, 0, 0);
	aml_io(aml, PCI_PORT, 8);
	aml_io_window(aml, 0, PCI_PORT - 1);
	aml_io_window(aml, PCI_PORT + 8, 0xffff);
	aml_memory_window(aml, PCI_MEM_BASE, PCI_MEM_END - 1);
	aml_close_resources(aml, resources);
	aml_pci_routing(aml);
	aml_close(aml, device);
}

static void dsdt_body(struct aml *aml)
{
	size_t package, scope, device;

	package = aml_name_package(aml, "_S5_", 4);
	aml_int(aml, ACPI_S5_TYPE);
	aml_int(aml, ACPI_S5_TYPE);
	aml_int(aml, 0);
	aml_int(aml, 0);
	aml_close(aml, package);

	scope = aml_scope(aml, "\\_SB_");
	aml_pci_bridge(aml);
	device = aml_device(aml, "COM1");
	aml_name_eisa_id(aml, "_HID", "PNP0501");
	aml_name_int(aml, "_UID", 1);
	aml_port_device(aml, UART_COM1, 8, UART_COM1_IRQ);
	aml_close(aml, device);
	device = aml_device(aml, "RTC_");
	aml_name_eisa_id(aml, "_HID", "PNP0B00");
	aml_port_device(aml, 0x70, 2, CMOS_IRQ);
	aml_close(aml, device);
	device = aml_device(aml, "PEVT");
	aml_name_string(aml, "_HID", "QEMU0001");
	aml_port_device(aml, PVPANIC_PORT, 1, 0);
	aml_close(aml, device);
	aml_close(aml, scope);
}

static u64 acpi_dsdt(struct acpi_area *area)
{
	static struct {
		struct acpi_header header;
		u8 body[AML_MAX];
	} __packed dsdt;
	static struct aml aml;

	memset(&aml, 0, sizeof(aml));
	dsdt_body(&aml);
	if (aml.overflow)
		return 0;
	memset(&dsdt, 0, sizeof(dsdt));
	acpi_header(&dsdt.header, "DSDT", 2, sizeof(dsdt.header) + aml.len);
	memcpy(dsdt.body, aml.buf, aml.len);
	return acpi_table(area, &dsdt.header);
}

static u64 acpi_facs(struct acpi_area *area)
{
	struct acpi_facs facs = {
		.signature = { 'F', 'A', 'C', 'S' },
		.length = sizeof(facs),
		.version = 1,
	};

	return acpi_place(area, &facs, sizeof(facs));
}

static struct acpi_address acpi_ports(u64 port, u8 len, u8 access)
{
	return (struct acpi_address){ 1, 8 * len, 0, access, port };
}

static u64 acpi_fadt(struct acpi_area *area, u64 facs, u64 dsdt)
{
	struct acpi_fadt fadt = {
		.facs = facs,
		.dsdt = dsdt,
		.x_dsdt = dsdt,
		.sci_irq = ACPI_SCI_IRQ,
		.pm1a_event = ACPI_PM1_EVENT,
		.pm1_event_len = 4,
		.pm1a_control = ACPI_PM1_CONTROL,
		.pm1_control_len = 2,
		.pm_timer = ACPI_PM_TIMER,
		.pm_timer_len = 4,
		.c2_latency = 0xffff,	/* no C2, no C3 */
		.c3_latency = 0xffff,
		.century = CMOS_CENTURY,
		.boot_flags = BOOT_LEGACY_DEVICES | BOOT_NO_VGA | BOOT_NO_MSI,
		.flags = FADT_WBINVD | FADT_C1 | FADT_NO_POWER_BUTTON |
			 FADT_NO_SLEEP_BUTTON | FADT_TIMER_32_BITS | FADT_RESET,
		.reset = acpi_ports(ACPI_RESET, 1, 1),
		.reset_value = ACPI_RESET_VALUE,
		.x_pm1a_event = acpi_ports(ACPI_PM1_EVENT, 4, 2),
		.x_pm1a_control = acpi_ports(ACPI_PM1_CONTROL, 2, 2),
		.x_pm_timer = acpi_ports(ACPI_PM_TIMER, 4, 3),
	};

	acpi_header(&fadt.header, "FACP", 3, sizeof(fadt));
	return acpi_table(area, &fadt.header);
}

static u64 acpi_rsdt(struct acpi_area *area, u64 fadt)
{
	struct acpi_rsdt rsdt = { .entry = { fadt } };

	acpi_header(&rsdt.header, "RSDT", 1, sizeof(rsdt));
	return acpi_table(area, &rsdt.header);
}

static u64 acpi_xsdt(struct acpi_area *area, u64 fadt)
{
	struct acpi_xsdt xsdt = { .entry = { fadt } };

	acpi_header(&xsdt.header, "XSDT", 1, sizeof(xsdt));
	return acpi_table(area, &xsdt.header);
}

/**
 * acpi_tables_install - write the machine's ACPI tables into guest memory
 * @mem:	guest RAM
 *
 * Return: gpa of the RSDP, or 0 with a message.
 */
u64 acpi_tables_install(const struct memory *mem)
{
	struct acpi_area area = { mem, MEM_FIRMWARE + TABLE_ALIGN, MEM_HIGH };
	struct acpi_rsdp rsdp = {
		.signature = { 'R', 'S', 'D', ' ', 'P', 'T', 'R', ' ' },
		.oem_id = { 'M', 'H', 'V', ' ', ' ', ' ' },
		.revision = 2,
		.length = sizeof(rsdp),
	};
	u64 facs = acpi_facs(&area);
	u64 dsdt = acpi_dsdt(&area);
	u64 fadt = acpi_fadt(&area, facs, dsdt);

	rsdp.rsdt = acpi_rsdt(&area, fadt);
	rsdp.xsdt = acpi_xsdt(&area, fadt);
	if (!facs || !dsdt || !fadt || !rsdp.rsdt || !rsdp.xsdt) {
		fail("the ACPI tables do not fit below 1 MiB");
		return 0;
	}
	rsdp.checksum = acpi_checksum(&rsdp, offsetof(struct acpi_rsdp, length));
	rsdp.checksum_all = acpi_checksum(&rsdp, sizeof(rsdp));
	area.next = MEM_FIRMWARE;
	return acpi_place(&area, &rsdp, sizeof(rsdp));
}
