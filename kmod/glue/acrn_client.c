// SPDX-License-Identifier: GPL-2.0
/*
 * The default I/O request client: deliver to whoever sits in ATTACH, complete on NOTIFY.
 *
 * State changes happen under client.lock, which is never held while anybody sleeps; wake-ups come after it is dropped,
 * so that whoever wakes does not run into it.
 */
#include "acrn_hsm.h"
#include "trace.h"

void acrn_client_init(struct acrn_client *c)
{
	spin_lock_init(&c->lock);
	init_waitqueue_head(&c->wait);
}

static void answer(struct acrn_hsm *hsm, u32 vcpu)
{
	struct acrn_hsm_vcpu *v = hsm->vcpu[vcpu];

	trace_mockvisor_complete(hsm->core.vmid, vcpu, &v->core.posted);
	__clear_bit(vcpu, &hsm->client.pending);
	acrn_ioreq_answer(&hsm->core, vcpu);
}

/* Return: whether the client is to be woken. */
static bool deliver(struct acrn_hsm *hsm, u32 vcpu)
{
	struct acrn_client *c = &hsm->client;
	struct acrn_hsm_vcpu *v = hsm->vcpu[vcpu];

	v->undelivered = false;
	switch (acrn_ioreq_deliver(&hsm->core, vcpu, c->exists)) {
	case ACRN_DELIVER_DONE:
		return false;
	case ACRN_DELIVER_NOBODY:
		pr_debug("VM %u: no I/O request client for vCPU %u, its request stays pending\n", hsm->core.vmid, vcpu);
		v->undelivered = true;
		return false;
	case ACRN_DELIVER_CLIENT:
		trace_mockvisor_deliver(hsm->core.vmid, vcpu, &v->core.posted);
		__set_bit(vcpu, &c->pending);
		return true;
	}
	return false;
}

void acrn_client_dispatch(struct acrn_hsm *hsm, struct acrn_hsm_vcpu *v)
{
	bool wake = false;
	u32 i;

	spin_lock(&hsm->client.lock);
	v->undelivered = true;
	for (i = 0; i < hsm->core.vcpu_num; i++) {
		if (hsm->vcpu[i]->undelivered)
			wake |= deliver(hsm, i);
	}
	spin_unlock(&hsm->client.lock);
	/* sync: the vCPU that posted goes to sleep next, so its CPU is free for the client */
	if (wake)
		wake_up_interruptible_sync(&hsm->client.wait);
}

int acrn_client_create(struct acrn_hsm *hsm)
{
	struct acrn_client *c = &hsm->client;
	int r = -EEXIST;

	spin_lock(&c->lock);
	if (!c->exists) {
		c->exists = true;
		c->generation++;
		c->pending = 0;
		r = 0;
	}
	spin_unlock(&c->lock);
	return r;
}

static bool client_gone(struct acrn_client *c, u32 generation)
{
	return !READ_ONCE(c->exists) || READ_ONCE(c->generation) != generation;
}

/* Level triggered: returns at once while any request is not notified.  A signal is not an error here. */
int acrn_client_attach(struct acrn_hsm *hsm)
{
	struct acrn_client *c = &hsm->client;
	u32 generation = READ_ONCE(c->generation);

	if (client_gone(c, generation))
		return -ENODEV;
	(void)wait_event_interruptible(c->wait, READ_ONCE(c->pending) || client_gone(c, generation));
	return client_gone(c, generation) ? -ENODEV : 0;
}

/* Requests that are out stay unanswered, their vCPUs blocked. */
void acrn_client_destroy(struct acrn_hsm *hsm)
{
	struct acrn_client *c = &hsm->client;

	spin_lock(&c->lock);
	WRITE_ONCE(c->exists, false);
	c->pending = 0;
	spin_unlock(&c->lock);
	wake_up_all(&c->wait);
}

int acrn_client_notify(struct acrn_hsm *hsm, const struct acrn_ioreq_notify *n)
{
	struct acrn_client *c = &hsm->client;
	u32 vcpu = (u16)n->vcpu;	/* the driver cuts it, so 0x10000 is vCPU 0 */
	bool exists;

	if (n->reserved)
		return -EINVAL;
	spin_lock(&c->lock);
	exists = c->exists;
	if (exists && vcpu < hsm->core.vcpu_num)
		answer(hsm, vcpu);
	spin_unlock(&c->lock);
	if (!exists)
		return 0;
	if (vcpu >= hsm->core.vcpu_num)
		return -EINVAL;
	acrn_hsm_vcpu_wake(hsm->vcpu[vcpu]);
	return 0;
}

/* Complete whatever is out, unserved. */
void acrn_client_clear(struct acrn_hsm *hsm)
{
	struct acrn_client *c = &hsm->client;
	u32 i;

	spin_lock(&c->lock);
	for (i = 0; i < hsm->core.vcpu_num; i++) {
		if (test_bit(i, &c->pending))
			answer(hsm, i);
	}
	spin_unlock(&c->lock);
	for (i = 0; i < hsm->core.vcpu_num; i++)
		acrn_hsm_vcpu_wake(hsm->vcpu[i]);
}
