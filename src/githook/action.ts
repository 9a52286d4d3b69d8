/** The check for GitHub, which has no hook of one's own: it runs after the push, and marks the commit. */
import { asking } from "./script.ts"

const check = `${asking.trimStart()}
if ! ask "$BRANCH"; then echo "$BRANCH names no task and token as $pattern does."; exit 0; fi
if ! settled; then
  unsettled
  if [ "$offline" = open ]; then echo "::warning::$why"; exit 0; fi
  echo "::error::$why"
  exit 1
fi
if [ "$status" != 200 ]; then echo "::error::$(field error "$answer")"; exit 1; fi
case $answer in *'"may_push":true'*) field reason "$answer"; exit 0 ;; esac
# The agent may have handed in its result since it pushed. Only a later lease makes the push stale.
if [ "$(number latest_token "$answer")" = "$token" ]; then
  echo "The lease $token is the latest of task $task. $(field reason "$answer")"
  exit 0
fi
echo "::error::$(field reason "$answer")"
exit 1
`

export const action = `# octopoid-server git-hook
# Fails for a push under a lease that is not the latest of its task. It cannot undo the push: require the check for merging.
# OCTOPOID_URL is a variable of the repository, and OCTOPOID_FENCE_KEY a secret: a key of the rank fence.
name: octopoid fence
on:
  push:
    branches: ["octopoid/**"]
permissions: {}
jobs:
  fence:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    steps:
      - name: Ask whether another agent has the task
        shell: sh
        env:
          BRANCH: \${{ github.ref_name }}
          OCTOPOID_URL: \${{ vars.OCTOPOID_URL }}
          OCTOPOID_FENCE_KEY: \${{ secrets.OCTOPOID_FENCE_KEY }}
          OCTOPOID_BRANCHES: octopoid/<task>/<token>
          OCTOPOID_OFFLINE: open
        run: |
${check.replace(/^(?=.)/gm, "          ")}`
