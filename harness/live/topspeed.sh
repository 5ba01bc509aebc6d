#!/bin/sh
# Measures `tandem replay --top` beside tcpreplay: one file of LACPDUs through one veth pair, in turns, the
# first of each pair changing; frames a second of each turn, and the medians.
#   topspeed.sh TANDEM [ROUNDS]
set -eu
tandem=$1 rounds=${2:-11}
for need in tcpreplay ip; do
	command -v $need >/dev/null 2>&1 || {
		echo "skipped by name: topspeed (needs $need: apt-get install tcpreplay iproute2)"
		exit 0
	}
done
space=tandem-speed-$$
[ "$(id -u)" = 0 ] && ip netns add $space 2>/dev/null || {
	echo "skipped by name: topspeed (needs root and network namespaces)"
	exit 0
}
folder=$(mktemp -d)
trap 'ip netns del $space; ip netns del $space-d 2>/dev/null || true; rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
ip netns add $space-d
ip -n $space link add t1 type veth peer name d1 netns $space-d
ip netns exec $space sysctl -qw net.ipv6.conf.t1.disable_ipv6=1
ip netns exec $space-d sysctl -qw net.ipv6.conf.d1.disable_ipv6=1
ip -n $space link set t1 up
ip -n $space-d link set d1 up

# A pcap file: its header, and a packet of 124 octets eighteen times doubled.
printf '\324\303\262\241\002\000\004\000\000\000\000\000\000\000\000\000\377\377\000\000\001\000\000\000' \
	>"$folder/frames.pcap"
{
	printf '\000\000\000\000\000\000\000\000\174\000\000\000\174\000\000\000'
	printf '\001\200\302\000\000\002\002\000\000\000\000\001\210\011\001\001'
	printf '\001\024\200\000\002\000\000\000\000\001\000\001\200\000\000\001\075\000\000\000'
	printf '\002\024\200\000\002\000\000\000\000\002\000\001\200\000\000\001\075\000\000\000'
	printf '\003\020'
	head -c 66 /dev/zero
} >"$folder/packets"
for _ in $(seq 18); do
	cat "$folder/packets" "$folder/packets" >"$folder/twice"
	mv "$folder/twice" "$folder/packets"
done
cat "$folder/packets" >>"$folder/frames.pcap"

ours() {
	ip netns exec $space "$tandem" replay "$folder/frames.pcap" --onto t1 --top --linger 0s \
		--record "$folder/record.pcapng" >"$folder/said" || [ $? = 3 ]
	sed -n 's/.*, 0 refused: \([0-9]*\) frames.*/\1/p' "$folder/said"
}
theirs() {
	ip netns exec $space tcpreplay -q --topspeed --preload-pcap -i t1 "$folder/frames.pcap" 2>&1 |
		sed -n 's/.* \([0-9]*\)[.0-9]* pps$/\1/p'
}
median() { sort -n "$1" | sed -n "$(((rounds + 1) / 2))p"; }
: >"$folder/ours"
: >"$folder/theirs"
for round in $(seq "$rounds"); do
	if [ $((round % 2)) = 0 ]; then
		ours >>"$folder/ours"
		theirs >>"$folder/theirs"
	else
		theirs >>"$folder/theirs"
		ours >>"$folder/ours"
	fi
	echo "round $round: tandem replay $(tail -1 "$folder/ours"), tcpreplay $(tail -1 "$folder/theirs") frames/s"
done
a=$(median "$folder/ours") b=$(median "$folder/theirs")
echo "median of $rounds: tandem replay --top $a, tcpreplay --topspeed --preload-pcap $b frames/s: $((a * 100 / b)) %"
