#!/usr/bin/env bash
# Checks, and tells what came out as outputs of the step. Never fails by what was found: the SARIF file
# must be uploaded first.
#
# The upper-case names are the inputs of action.yml; BASE is the commit that a pull request is made against.
set -euo pipefail

report=$RUNNER_TEMP/plimsoll.json
sarif_file=$RUNNER_TEMP/plimsoll.sarif
rm -f "$report" "$sarif_file"

arguments=(check --format "json=$report")
if [[ $ANNOTATIONS == true ]]; then arguments+=(--format github); else arguments+=(--format pretty); fi
if [[ -n $CONFIG ]]; then arguments+=(--config "$CONFIG"); fi
if [[ -n $MIN_SEVERITY ]]; then arguments+=(--min-severity "$MIN_SEVERITY"); fi
if [[ -n $FAIL_ON ]]; then arguments+=(--fail-on "$FAIL_ON"); fi

since=()
if [[ $SINCE == auto ]]; then SINCE=$BASE; fi
if [[ -n $SINCE && $SINCE != none ]]; then
    # Where the change left the base is not known in a clone that was cut short.
    if [[ $(git rev-parse --is-shallow-repository) == true ]]; then
        git fetch --quiet --no-tags --unshallow origin ||
            echo "::warning::the history can't be fetched; give actions/checkout \`fetch-depth: 0\`"
    fi
    since=(--since "$SINCE")
fi

set -f
# shellcheck disable=SC2206 # several arguments, parted by blanks
more=($ARGS)
set +f
checked=(--)
while IFS= read -r path; do
    if [[ -n $path ]]; then checked+=("$path"); fi
done <<<"$PATHS"

status=0
plimsoll "${arguments[@]}" ${since[@]+"${since[@]}"} ${more[@]+"${more[@]}"} "${checked[@]}" || status=$?
if [[ $SARIF == true ]]; then
    # Code scanning compares by itself: what is old must be there.
    whole=(check --quiet --format "sarif=$sarif_file")
    if [[ -n $CONFIG ]]; then whole+=(--config "$CONFIG"); fi
    if [[ -n $MIN_SEVERITY ]]; then whole+=(--min-severity "$MIN_SEVERITY"); fi
    plimsoll "${whole[@]}" ${more[@]+"${more[@]}"} "${checked[@]}" >/dev/null || true
fi

# A quote inside a text is escaped, so only a key of the summary looks like this.
count() { grep -o "\"$1\": *[0-9]*" "$report" | tail -n 1 | tr -dc '0-9'; }
{
    echo "exit-code=$status"
    if [[ -f $report ]]; then
        echo "errors=$(count errors)"
        echo "warnings=$(count warnings)"
        echo "infos=$(count infos)"
    fi
    if [[ -f $sarif_file ]]; then echo "sarif-file=$sarif_file"; fi
} >>"$GITHUB_OUTPUT"
