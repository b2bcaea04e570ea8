/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_ACPI_PM_H
#define VMCTL_ACPI_PM_H

#include "../power.h"
#include "bus.h"
#include "irq.h"

/* the ports, as the FADT tells them to the guest */
#define ACPI_PM1_EVENT		0x600	/* status and enable, two bytes each */
#define ACPI_PM1_CONTROL	0x604
#define ACPI_PM_TIMER		0x608
#define ACPI_RESET		0xcf9
#define ACPI_RESET_VALUE	0x06
#define ACPI_SCI_IRQ		9

/*
 * Sleep type of S5.  With 0, the bare "outw 0x2000 to 0x604" that small kernels
 * use to switch a virtual machine off does so here too.
 */
#define ACPI_S5_TYPE		0

/**
 * struct acpi_pm - fixed hardware of ACPI: power-off, reset, timer
 * @power:	machine's power switch
 * @sci:	system control interrupt
 * @epoch:	clock_now() at which the timer was 0
 * @seen:	timer value up to which @status holds
 * @status: @enable: @control: PM1 registers
 */
struct acpi_pm {
	struct power *power;
	struct irq sci;
	u64 epoch, seen;
	u16 status, enable, control;
};

int acpi_pm_init(struct acpi_pm *pm, struct bus *ports, struct irq sci,
		 struct power *power);

#endif
