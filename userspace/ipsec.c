// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec.h"

#include <linux/netlink.h>
#include <linux/xfrm.h>

#include "netlink.h"

#define ANSWER_BYTES 32768
#define PATIENCE_S 2

bool ipsec_policy_transforms(const void *data, size_t size)
{
	const struct nlmsghdr *message = data;
	const struct xfrm_userpolicy_info *policy = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr;

	if (size < sizeof(*message) || message->nlmsg_len > size ||
	    message->nlmsg_len < NLMSG_HDRLEN + sizeof(*policy) ||
	    message->nlmsg_type != XFRM_MSG_NEWPOLICY || policy->dir != XFRM_POLICY_OUT ||
	    policy->action != XFRM_POLICY_ALLOW)
		return false;
	netlink_attr_for_each (attr, message, sizeof(*policy)) {
		if (mnl_attr_get_type(attr) == XFRMA_TMPL &&
		    mnl_attr_get_payload_len(attr) >= sizeof(struct xfrm_user_tmpl))
			return true;
	}
	return false;
}

static int on_policy(const struct nlmsghdr *message, void *found)
{
	*(bool *)found |= ipsec_policy_transforms(message, message->nlmsg_len);
	return *(bool *)found ? MNL_CB_STOP : MNL_CB_OK;
}

static int link_dump(struct mnl_socket *link, uint8_t *buffer, bool *ret_found)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	ssize_t length;
	int r = MNL_CB_OK;

	message->nlmsg_type = XFRM_MSG_GETPOLICY;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(message, sizeof(struct xfrm_userpolicy_id));
	if (mnl_socket_bind(link, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(link), SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) < 0 ||
	    mnl_socket_sendto(link, message, message->nlmsg_len) < 0)
		return -errno;
	while (r > MNL_CB_STOP) {
		length = mnl_socket_recvfrom(link, buffer, ANSWER_BYTES);
		if (length < 0)
			return -errno;
		r = mnl_cb_run(buffer, (size_t)length, 0, mnl_socket_get_portid(link), on_policy,
			       ret_found);
	}
	return r < 0 ? -errno : 0;
}

int ipsec_transforms(void)
{
	struct mnl_socket *link = mnl_socket_open2(NETLINK_XFRM, SOCK_CLOEXEC);
	_cleanup_free_ uint8_t *buffer = calloc(1, ANSWER_BYTES);
	bool found = false;
	int r;

	if (!link)
		return -errno;
	r = buffer ? link_dump(link, buffer, &found) : -ENOMEM;
	(void)mnl_socket_close(link);
	return r < 0 ? r : found;
}
