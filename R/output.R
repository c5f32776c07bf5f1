# What a program prints, in R's console.

# Shows what `server` has printed since the last time. NULL: nothing is known of it.
show_output <- function(server) invisible()
