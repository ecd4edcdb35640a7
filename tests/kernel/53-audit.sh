# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# `dnsfence audit`: every place that decides where lookups go, in the tree of a host made for it,
# is found with its file and line, and held against the policy: without a fence what the policy
# refuses leaks, with one it is blocked. And this host's own open sockets.
. "$(dirname "$0")/lib.sh"
setup
TREE=$WORK/tree

# file PATH: its text from standard input.
file() {
	mkdir -p "$(dirname "$TREE$1")"
	cat >"$TREE$1"
}

# audit ARGUMENT...: OUT, a JSON object; STATUS.
audit() {
	OUT=$(dnsfence audit -j "$@" 2>"$WORK/words")
	STATUS=$?
}

# found FILE LINE ADDRESS [FILTER]: the state of that finding.
found() {
	jq -r --arg file "$1" --argjson line "$2" --arg ip "$3" ".findings[] | select(.file == \$file
		and (.line // 0) == \$line and (.resolver.ip // \"\") == \$ip and (${4:-true})) | .state" <<<"$OUT"
}

file /etc/resolv.conf <<-END
	# nameserver 192.0.2.99
	nameserver $GOOD4
	nameserver $BAD4
END
file /etc/nsswitch.conf <<-END
	passwd: files
	hosts: files mdns4_minimal [NOTFOUND=return] resolve wins dns
END
file /etc/systemd/resolved.conf.d/site.conf <<-END
	[Resolve]
	DNS=$GOOD6 [$BAD6]:5300%2#dns.example
	FallbackDNS = 192.0.2.8 192.0.2.9#fallback.example
	DNSOverTLS=opportunistic
	LLMNR=yes
	MulticastDNS=no
	#DNS=192.0.2.99
END
file /run/systemd/resolve/resolv.conf <<-END
	nameserver 192.0.2.10
END
file /run/systemd/netif/links/2 <<-END
	NAME=eth0
	DNS=$GOOD4 192.0.2.11
END
file /etc/systemd/network/10-lan.network <<-END
	[Match]
	Name=eth0
	DNS=192.0.2.99
	[Network]
	DNS=192.0.2.12
END
file /etc/NetworkManager/conf.d/dns.conf <<-END
	[global-dns-domain-*]
	servers=192.0.2.13,$GOOD4
END
file "/etc/NetworkManager/system-connections/home net.nmconnection" <<-END
	[ipv4]
	dns=192.0.2.14;$GOOD4;
	[vpn]
	dns=192.0.2.99
END
file /var/lib/dhcp/dhclient.eth0.leases <<-END
	lease {
	  option domain-name-servers $GOOD4, 192.0.2.15;
	}
END
file /etc/resolvconf.conf <<-END
	name_servers="192.0.2.16 $GOOD4"
END
file /etc/docker/daemon.json <<-END
	{"dns": ["192.0.2.17", "$GOOD4", 5, "nonsense"]}
END
file /var/lib/docker/containers/3f0c/resolv.conf <<-END
	nameserver 127.0.0.11
	# ExtServers: [192.0.2.18 host(127.0.0.53)]
END
file /run/containers/storage/overlay-containers/77aa/userdata/resolv.conf <<-END
	nameserver 8.8.8.8
END
file /etc/containers/containers.conf <<-END
	[containers]
	dns_servers = ["192.0.2.19", "$GOOD4"]
END
file /var/lib/kubelet/config.yaml <<-END
	kind: KubeletConfiguration
	clusterDNS:
	  - 10.96.0.10
END
file /etc/firefox/policies/policies.json <<-END
	{"policies": {"DNSOverHTTPS": {"Enabled": true, "Locked": true}}}
END
file /home/someone/.mozilla/firefox/x.default/prefs.js <<-END
	user_pref("network.trr.mode", 3);
END
file /home/other/.mozilla/firefox/x.default/prefs.js <<-END
	user_pref("network.trr.mode", 5);
END
file "/home/someone/.config/chromium/Local State" <<-END
	{"a":{"b":"secure"},"dns_over_https":{"mode":"off"},"c":"secure"}
END
file /etc/default/app <<-END
	JAVA_OPTS="-Dsun.net.spi.nameservice.nameservers=192.0.2.20,$GOOD4 -Dx=y"
	#GODEBUG=netdns=go
	GODEBUG=netdns=go
END
file /etc/dnsmasq.d/upstream.conf <<-END
	server=192.0.2.21
	server=/corp.example/$GOOD4
END
file /etc/unbound/unbound.conf.d/forward.conf <<-END
	forward-zone:
	  name: "."
	  forward-addr: 192.0.2.22
	  forward-addr: 2001:db8::22@5353
END
file /etc/nginx/conf.d/site.conf <<-END
	resolver 192.0.2.23 [2001:db8::23]:5353 valid=30s;
	resolver_timeout 5s;
END
# What cannot be read as what it should be changes nothing.
mkfifo "$TREE/etc/default/pipe"
head -c 100000 /dev/urandom >"$TREE/etc/default/noise"
printf '{"dns": [' | file /etc/opt/chrome/policies/managed/broken.json

policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4, "$GOOD6"]}
	policies: [{name: default, resolvers: [good]}]
YAML

# STATE FILE LINE ADDRESS [FILTER], with * for what the policy refuses.
FINDINGS="
fine /etc/resolv.conf 2 $GOOD4
* /etc/resolv.conf 3 $BAD4
fine /etc/systemd/resolved.conf.d/site.conf 2 $GOOD6
leaks /etc/systemd/resolved.conf.d/site.conf 2 $BAD6 .resolver.port==5300
* /etc/systemd/resolved.conf.d/site.conf 3 192.0.2.9
* /run/systemd/resolve/resolv.conf 1 192.0.2.10
* /run/systemd/netif/links/2 2 192.0.2.11
fine /run/systemd/netif/links/2 2 $GOOD4
* /etc/systemd/network/10-lan.network 5 192.0.2.12
* /etc/NetworkManager/conf.d/dns.conf 2 192.0.2.13
* /var/lib/dhcp/dhclient.eth0.leases 2 192.0.2.15
fine /var/lib/dhcp/dhclient.eth0.leases 2 $GOOD4
* /etc/resolvconf.conf 1 192.0.2.16
* /etc/docker/daemon.json 0 192.0.2.17
fine /etc/docker/daemon.json 0 $GOOD4
* /var/lib/docker/containers/3f0c/resolv.conf 1 127.0.0.11 .asker==\"container\u00203f0c,\u0020as\u0020everybody\"
* /var/lib/docker/containers/3f0c/resolv.conf 2 192.0.2.18
* /var/lib/docker/containers/3f0c/resolv.conf 2 127.0.0.53
* /run/containers/storage/overlay-containers/77aa/userdata/resolv.conf 1 8.8.8.8
* /etc/containers/containers.conf 2 192.0.2.19
* /var/lib/kubelet/config.yaml 3 10.96.0.10
* /etc/default/app 1 192.0.2.20
fine /etc/default/app 1 $GOOD4
* /etc/dnsmasq.d/upstream.conf 1 192.0.2.21
* /etc/unbound/unbound.conf.d/forward.conf 3 192.0.2.22
* /etc/nginx/conf.d/site.conf 1 192.0.2.23
leaks /etc/nginx/conf.d/site.conf 1 2001:db8::23 .resolver.port==5353
"

# expect_findings STATE: of all that the policy refuses.
expect_findings() {
	local state path line address filter
	while read -r state path line address filter; do
		[[ $state ]] || continue
		expect "$path:$line $address" "$(found "$path" "$line" "$address" "${filter:-true}")" "${state/\*/$1}"
	done <<<"$FINDINGS"
}

audit --root "$TREE"
expect "no fence, exit status" "$STATUS" 1
expect "no fence" "$(jq -r '[.fence, .totals.blocked, .totals.leaks > 20] | tostring' <<<"$OUT")" '["open",0,true]'
expect_findings leaks
expect "nothing that is not set" "$(jq -c '[.findings[] | select(.resolver.ip == "192.0.2.99")]' <<<"$OUT")" '[]'
expect "a connection with a blank in its name" "$(jq -r '.findings[] | select(.resolver.ip == "192.0.2.14") | .file' <<<"$OUT")" \
	"/etc/NetworkManager/system-connections/home net.nmconnection"
note() { jq -r --arg file "$1" --argjson line "$2" '.findings[] | select(.file == $file and .line == $line and .resolver == null) | .state' <<<"$OUT" | tr '\n' ' '; }
expect "nsswitch.conf: mdns, resolve, wins" "$(note /etc/nsswitch.conf 2)" "note note leaks "
expect "LLMNR" "$(note /etc/systemd/resolved.conf.d/site.conf 5)" "leaks "
expect "MulticastDNS=no" "$(note /etc/systemd/resolved.conf.d/site.conf 6)" ""
expect "DNS over TLS, or not" "$(note /etc/systemd/resolved.conf.d/site.conf 4)" "note "
expect "Firefox's policy" "$(note /etc/firefox/policies/policies.json 1)" "leaks "
expect "Firefox's preference" "$(note /home/someone/.mozilla/firefox/x.default/prefs.js 1)" "leaks "
expect "Firefox without it" "$(note /home/other/.mozilla/firefox/x.default/prefs.js 1)" ""
expect "Chromium without it" "$(jq '[.findings[] | select(.source == "Chromium")] | length' <<<"$OUT")" 0
expect "Go" "$(note /etc/default/app 3)" "note "
expect "who asks" "$(jq -r '.findings[] | select(.resolver.ip == "192.0.2.10") | .asker' <<<"$OUT")" \
	"systemd-resolved.service, as everybody"
expect_match "what to change" "$(jq -r '.findings[] | select(.resolver.ip == "192.0.2.17") | .advice' <<<"$OUT")" 'restart the daemon'

# With the fence closed.
start_fence
audit --root "$TREE"
expect "fenced" "$(jq -r '[.fence, .totals.blocked > 15] | tostring' <<<"$OUT")" '["closed",true]'
expect_findings blocked
expect "what no port tells still leaks" "$STATUS $(note /home/someone/.mozilla/firefox/x.default/prefs.js 1)" "1 leaks "
stop_fence
dnsfence unload >/dev/null 2>&1

# Only what the policy sanctions.
rm -r "$TREE"
printf 'nameserver %s\n' $GOOD4 "$GOOD6" | file /etc/resolv.conf
audit --root "$TREE"
expect "all in order" "$STATUS $(jq -r '.totals | "\(.fine) \(.note) \(.blocked) \(.leaks)"' <<<"$OUT")" "0 2 0 0 0"
rm "$TREE/etc/resolv.conf"
audit --root "$TREE"
expect "none named means this host's" "$(found /etc/resolv.conf 0 127.0.0.1)" leaks

# Links are resolved as the other host would, be it a file or a directory: nothing outside is read.
OUTSIDE=$WORK/outside
mkdir -p "$OUTSIDE"
printf 'nameserver 192.0.2.30\n' >"$OUTSIDE/resolv.conf"
printf 'server=192.0.2.31\n' >"$OUTSIDE/upstream.conf"
file /run/systemd/resolve/stub.conf <<<"nameserver 192.0.2.32"
file /usr/share/dnsmasq/upstream.conf <<<"server=192.0.2.33"
ln -s "$OUTSIDE/resolv.conf" "$TREE/etc/resolv.conf"
ln -s "$OUTSIDE/upstream.conf" "$TREE/etc/dnsmasq.conf"
ln -s "../../../../../../../../../..$OUTSIDE/resolv.conf" "$TREE/run/systemd/resolve/resolv.conf"
ln -s "$OUTSIDE" "$TREE/etc/dnsmasq.d"
asked() { jq -r '[.findings[] | select(.source != "open socket") | .resolver.ip // empty] | sort | join(" ")' <<<"$OUT"; }
audit --root "$TREE"
expect "links to what is outside" "$(asked)" "127.0.0.1"
ln -sfn /run/systemd/resolve/stub.conf "$TREE/etc/resolv.conf"
ln -sfn /usr/share/dnsmasq "$TREE/etc/dnsmasq.d"
audit --root "$TREE"
expect "links to what is inside" "$(asked)" "192.0.2.32 192.0.2.33"
expect "a file behind such a directory" "$(found /etc/dnsmasq.d/upstream.conf 1 192.0.2.33)" leaks
ln -sfn "$TREE" "$WORK/link"
audit --root "$WORK/link"
expect "the directory itself may be a link" "$(asked)" "192.0.2.32 192.0.2.33"
(cd "$TREE/etc" && audit --root .. && asked) >"$WORK/relative"
expect "and relative" "$(<"$WORK/relative")" "192.0.2.32 192.0.2.33"

# A directory is taken by its name: one that reads like a pattern is not another that it matches.
TREE=$WORK/g/a
file /etc/environment <<<"JAVA_OPTS=-Dsun.net.spi.nameservice.nameservers=192.0.2.40"
TREE=$WORK/g/[$(printf 'a%.0s' {1..200})]
file /etc/environment <<<"JAVA_OPTS=-Dsun.net.spi.nameservice.nameservers=192.0.2.41"
file '/var/lib/d[o]cker/containers/3f0c/resolv.conf' <<<"nameserver 192.0.2.42"
file /var/lib/docker/containers/3f0c/resolv.conf <<<"nameserver 192.0.2.43"
audit --root "$TREE"
expect "a root whose name is a pattern" "$(asked)" "127.0.0.1 192.0.2.41 192.0.2.43"
cp "$CONFIG" "$CONFIG.before"
echo "runtimes: {host: \"$TREE\", docker: '/var/lib/d[o]cker'}" >>"$CONFIG"
audit
expect "runtimes: whose names are patterns" "$(asked)" "127.0.0.1 192.0.2.41 192.0.2.42"
mv "$CONFIG.before" "$CONFIG"

for root in /nowhere "" "$CONFIG"; do
	audit --root "$root"
	expect "--root '$root' is no directory" "$STATUS $(grep -c -e 'error: .*--root' "$WORK/words")" "2 1"
done

# Names of files are other people's text: what is printed has no line and no escape of theirs.
TREE=$WORK/names
file $'/home/u/.mozilla/firefox/a\nleaks    192.0.2.50:53  \e[31mRED/prefs.js' <<<'user_pref("network.trr.mode", 3);'
dnsfence audit --root "$TREE" >"$WORK/lines" 2>/dev/null
expect "a forged line" "$(grep -c $'^leaks *192.0.2.50\|\e' "$WORK/lines")" 0
expect "its file" "$(grep -c 'firefox/a?leaks    192.0.2.50:53  ?\[31mRED/prefs.js:1$' "$WORK/lines")" 1
audit --root "$TREE"
expect "in JSON as it is" "$(note $'/home/u/.mozilla/firefox/a\nleaks    192.0.2.50:53  \e[31mRED/prefs.js' 1)" "leaks "

# This host's open sockets, by owner.
hold_socket bad $APPS udp $BAD4
hold_socket good $APPS tcp $GOOD4
audit
expect "a socket to a resolver outside the policy" "$(jq -r --arg who "leakprobe[${HELD_PIDS[bad]}] in /$APPS" \
	'.findings[] | select(.source == "open socket" and .asker == $who) | "\(.state) \(.resolver.ip)"' <<<"$OUT")" "leaks $BAD4"
expect "a socket to a sanctioned one" "$(jq -r --arg who "leakprobe[${HELD_PIDS[good]}] in /$APPS" \
	'.findings[] | select(.source == "open socket" and .asker == $who) | .state' <<<"$OUT")" "fine"
# Where cgroup2 is mounted under a name with a blank, which mountinfo writes \040.
mkdir -p "$WORK/c g"
# shellcheck disable=SC2016 # for the shell in there
OUT=$(unshare --mount --propagation private sh -c 'umount -l "$1" && mount -t cgroup2 none "$2" && shift 2 && exec "$@"' sh \
	"$CGROUP2" "$WORK/c g" "$DNSFENCE" -C "$CONFIG" "${INSTANCE[@]}" audit -j 2>"$WORK/words")
expect "cgroup2 under a name with a blank" "$(jq -r --arg who "leakprobe[${HELD_PIDS[bad]}] in /$APPS" \
	'.findings[] | select(.source == "open socket" and .asker == $who) | "\(.state) \(.resolver.ip)"' <<<"$OUT")" "leaks $BAD4"
expect_match "lines" "$(dnsfence audit 2>/dev/null)" "STATE +RESOLVER +WHO ASKS.*leaks +$BAD4:53 +leakprobe"
dnsfence -C /nowhere audit >/dev/null 2>"$WORK/words"
expect "no configuration, exit status" $? 1
finish
