#!/bin/sh
# Runs the live sample many times with every processor busy beside it, and says whether any case that
# passes in the simulation fails: what can't be judged is inconclusive, and says why.
#   steady.sh TANDEM FOLDER [TIMES [CASES...]]
set -eu
tandem=$1 folder=$2 times=${3:-10}
[ $# -gt 3 ] && shift 3 || set --
mkdir -p "$folder"
load=
trap 'kill $load 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM
for _ in $(seq "$(nproc)"); do
	(while :; do :; done) &
	load="$load $!"
done
count() { grep -o "\"verdict\":\"$1\"" "$2" | wc -l; }
failed=0
for run in $(seq "$times"); do
	report=$folder/$run
	"$tandem" run "$@" --testbed reference --jobs 8 --report "$report" >"$report.out" 2>&1 || true
	events=$report/events.jsonl
	fails=$(count fail "$events") errors=$(count error "$events")
	failed=$((failed + fails + errors))
	echo "run $run: $(count pass "$events") pass, $fails fail, $(count inconclusive "$events") inconclusive," \
		"$(count not-applicable "$events") not applicable, $(count blocked "$events") blocked, $errors error"
	grep -h -o 'the tester was [^,]*, more\|[0-9]* frames were lost' \
		"$report.out" | sort | uniq -c || true
done
echo "$failed failures or errors in $times runs"
[ "$failed" = 0 ]
