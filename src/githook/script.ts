/**
 * The hooks of git, as shell scripts that need git and curl and nothing else. They are the same for every repository:
 * the settings are read when they run, from the environment and from git's configuration.
 */

export const hooks = ["pre-push", "pre-receive"] as const
export type Hook = (typeof hooks)[number]

/** The line by which a hook is known to be ours. */
export const mark = "# octopoid-server git-hook"

/**
 * The shell functions that read the settings, and ask the server about the branch `$1`. The GitHub action uses them
 * too.
 */
export const asking = String.raw`
setting() { # the variable, the name in git's configuration, the default
  eval "value=\"\$$1\""
  [ -n "$value" ] || value=$(git config --get "octopoid.$2" 2>/dev/null) || value=$3
  printf '%s' "$value"
}
url=$(setting OCTOPOID_URL url '')
key=$(setting OCTOPOID_FENCE_KEY fenceKey '')
pattern=$(setting OCTOPOID_BRANCHES branches 'octopoid/<task>/<token>')
offline=$(setting OCTOPOID_OFFLINE offline open)

say() { printf 'octopoid: %s\n' "$1" >&2; }

case $pattern in
  *'<task>'*'<token>'* | *'<token>'*'<task>'*) ;;
  *) say "The pattern of branches is '$pattern', and lacks <task> or <token>. Set octopoid.branches."; exit 1 ;;
esac
case $offline in
  open | closed) ;;
  *) say "octopoid.offline is '$offline', and has to be open or closed."; exit 1 ;;
esac

literal=$(printf '%s' "$pattern" | sed 's/[][\\.*^$/]/\\&/g')
find_task=$(printf '%s' "$literal" | sed -e 's/<task>/\\(..*\\)/' -e 's/<token>/[0-9][0-9]*/')
find_token=$(printf '%s' "$literal" | sed -e 's/<task>/..*/' -e 's/<token>/\\([0-9][0-9]*\\)/')
prefix=\${pattern%%<*}

# A text of the answer. Its escapes stay as they are, but those of quotes and backslashes.
field() { printf '%s' "$2" | sed -n "s/.*\"$1\":\"\(\([^\"\\\\]*\(\\\\.\)*\)*\)\".*/\1/p" | sed 's/\\\(["\\]\)/\1/g' | cut -c 1-2000; }
number() { printf '%s' "$2" | sed -n "s/.*\"$1\":\([0-9][0-9]*\).*/\1/p"; }

status=
# Asks about a branch. Sets $task, $token, $status and $answer; fails if the branch names no task.
ask() {
  task=$(printf '%s' "$1" | sed -n "s/^$find_task\$/\1/p")
  token=$(printf '%s' "$1" | sed -n "s/^$find_token\$/\1/p")
  [ -n "$task" ] && [ -n "$token" ] || return 1
  if [ -z "$url" ]; then
    say "Not pushed: octopoid.url is not set, so nobody can say whether the lease $token of task $task holds."
    exit 1
  fi
  case $task in
    # It is written as in a URL already, or else the URL is made from its bytes.
    *[!A-Za-z0-9._%~-]*) path=$(printf '%s' "$task" | od -An -v -tx1 | tr -d '\n' | tr -s ' ' '%' | sed 's/%$//') ;;
    *) path=$task ;;
  esac
  # One wait is enough, however many branches are pushed.
  [ "$status" != 000 ] || return 0
  # The key goes by standard input: others on this machine can see arguments.
  reply=$(
    {
      [ -z "$key" ] || printf 'header = "Authorization: Bearer %s"\n' "$key"
      printf 'url = "%s/api/v1/tasks/%s/fence?token=%s"\n' "\${url%/}" "$path" "$token"
    } | curl -q --silent --show-error --globoff --path-as-is --proto '=http,https' --connect-timeout 5 --max-time 10 \
      --max-filesize 1000000 --write-out '\n%{http_code}' --config - 2>&1
  ) || {
    status=000
    answer=$(printf '%s\n' "$reply" | sed -n 's/^curl: //p' | head -n 1)
    [ -n "$answer" ] || answer='curl does not run'
    return 0
  }
  status=$(printf '%s' "$reply" | tail -n 1)
  answer=$(printf '%s' "$reply" | sed '$d' | tr -d '\n\r')
}

# Whether the answer is one of this server. A failure of the server, or a page of a proxy, is no answer.
settled() {
  case $status in
    200) case $answer in *'"may_push":'*) return 0 ;; esac ;;
    429) ;;
    4??) case $answer in *'"_tag":'*) return 0 ;; esac ;;
  esac
  return 1
}

unsettled() {
  [ "$status" = 000 ] && why=$answer || why="the answer is not one of an Octopoid server (status $status)"
  why="The server at $url cannot be reached, so it is unknown whether the lease $token of task $task holds ($why)."
}
`.replaceAll("\\${", "${")

const verdict = String.raw`
refused=
check() {
  case " $asked " in *" $1 "*) return ;; esac
  asked="$asked $1"
  if ! ask "$1"; then
    case $1 in "$prefix"*) [ -z "$prefix" ] || say "$1 names no task and token as $pattern does. The server is not asked about it." ;; esac
    return
  fi
  if ! settled; then
    unsettled
    if [ "$offline" = open ]; then say "Pushed all the same: $why octopoid.offline is open."; return; fi
    say "Not pushed: $why octopoid.offline is closed."
  elif [ "$status" = 200 ]; then
    case $answer in *'"may_push":true'*) return ;; esac
    say "Not pushed: $(field reason "$answer")"
  else
    say "Not pushed: $(field error "$answer") (branch $1, status $status)"
  fi
  refused=yes
}
asked=
`

const chain = String.raw`
# The hook that was here before gets the same input.
if [ -x "$0.chained" ]; then
  printf '%s' "$lines" | "$0.chained" "$@" || exit
fi
`

const zeros = String.raw`
is_zero() { case $1 in *[!0]*) return 1 ;; esac; }
`

const reading = String.raw`
# The dot keeps the last line end.
lines=$(cat; printf .)
lines=\${lines%.}
`.replaceAll("\\${", "${")

const loops: Record<Hook, string> = {
  // Both names count: a branch of a lease is pushed from somewhere, or to somewhere.
  "pre-push": String.raw`
while read -r from id to _; do
  [ -n "$from" ] || continue
  # A deletion pushes no work.
  is_zero "$id" && continue
  [ "$from" != HEAD ] || from=$(git symbolic-ref -q HEAD) || from=HEAD
  for ref in "$from" "$to"; do
    case $ref in refs/heads/*) check "\${ref#refs/heads/}" ;; esac
  done
done <<EOF
$lines
EOF
`.replaceAll("\\${", "${"),
  "pre-receive": String.raw`
while read -r _ id ref; do
  [ -n "$ref" ] || continue
  is_zero "$id" && continue
  case $ref in refs/heads/*) check "\${ref#refs/heads/}" ;; esac
done <<EOF
$lines
EOF
`.replaceAll("\\${", "${")
}

const about: Record<Hook, string> = {
  "pre-push": "Asks before each push whether the lease in the name of the branch still holds its task.",
  "pre-receive":
    "Refuses branches whose names are of a lease that no longer holds its task, on the machine that receives them."
}

/** The hook as a whole. */
export const scriptOf = (hook: Hook): string =>
  [
    `#!/bin/sh
${mark} ${hook}
# ${about[hook]}
# Settings, each a variable or a setting of git (git config octopoid.url …):
#   OCTOPOID_URL        octopoid.url        where the server is
#   OCTOPOID_FENCE_KEY  octopoid.fenceKey   a key of the rank fence
#   OCTOPOID_BRANCHES   octopoid.branches   which branches are asked about: octopoid/<task>/<token> unless set
#   OCTOPOID_OFFLINE    octopoid.offline    what happens if the server cannot be reached: open (unless set) or closed
# Branches of other names, tags and deletions are let through.
`,
    reading,
    asking,
    zeros,
    verdict,
    loops[hook],
    "\n[ -z \"$refused\" ] || exit 1\n",
    chain,
    "exit 0\n"
  ].join("")
