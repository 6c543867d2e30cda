# Reads what a Go test prints with -v and prints each test and step that failed or was skipped: verdict, name, what it said last.
# Fields are separated by tabs. Steps run at the same time, so that a message belongs to the name that was announced last.
/^=== (RUN|CONT|NAME) / { current = $3; next }
/^ *[A-Za-z0-9_]+\.go:[0-9]+: / {
  sub(/^ *[A-Za-z0-9_]+\.go:[0-9]+: */, "")
  gsub(/\t/, " ")
  if (length($0) > 0) said[current] = substr($0, 1, 160)
}
/^ *--- (FAIL|SKIP): / {
  verdict = $2
  sub(/:$/, "", verdict)
  print verdict "\t" $3 "\t" said[$3]
}
