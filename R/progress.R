# The progress of a call, as a bar.

# Shows an event of the call on `line`: list(done, total, label).
progress_event <- function(line, event) invisible()

# Ends the bar of the call on `line`, if there is one.
end_progress <- function(line) line$progress <- NULL
