// SPDX-License-Identifier: GPL-2.0-only
/* The vendor's operations as static calls. */
#include <linux/errno.h>
#include <linux/printk.h>

#include "mhv.h"

#define X(op, ret, args)						\
	DEFINE_STATIC_CALL_NULL(mhv_op_##op, *(((struct mhv_ops *)0)->op));
MHV_OPS(X)
#undef X

/**
 * mhv_ops_init - take a vendor's operations into use
 * @ops: complete table
 *
 * Context: module init.
 * Return: 0, or -EINVAL when an operation is missing.
 */
int mhv_ops_init(const struct mhv_ops *ops)
{
	const char *missing = NULL;

#define X(op, ret, args) missing = ops->op ? missing : #op;
	MHV_OPS(X)
#undef X
	if (missing) {
		pr_err("mhv: %s lacks the operation %s\n", ops->name, missing);
		return -EINVAL;
	}

#define X(op, ret, args) static_call_update(mhv_op_##op, ops->op);
	MHV_OPS(X)
#undef X
	return 0;
}
