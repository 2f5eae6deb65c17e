#!/bin/sh
# The agent on the Node that is beside it, with the memory of a small machine in mind: one heap for malloc that gives back
# what is free, little room for young objects, and no second compiler. 20,000 lines/s cost 3 % of a core either way.
here=$(dirname "$(readlink -f "$0")")
export MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072 MALLOC_MMAP_THRESHOLD_=131072
exec "$here/node" --max-semi-space-size=1 --no-turbofan "$here/../lib/marsad-edge.mjs" "$@"
