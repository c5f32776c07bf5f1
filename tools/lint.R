# Rscript tools/lint.R FILE...: what lintr says of them; fails if that is anything.

# lintr looks for what a file uses where R would: in testthat and in the helpers
# of the tests, of which only the names are taken.
library(testthat)
for (helper in list.files("tests/testthat", "^helper.*\\.R$", full.names = TRUE)) {
  for (call in as.list(parse(helper))) {
    if (is.call(call) && identical(call[[1]], quote(`<-`)) && is.name(call[[2]])) {
      assign(as.character(call[[2]]), function(...) NULL, globalenv())
    }
  }
}

# lintr does not see that a message of cli or of ours uses a variable: "{name}".
is_interpolated <- function(lint) {
  unused <- "^local variable '([^']+)' assigned but may not be used$"
  grepl(unused, lint$message) &&
    any(grepl(sub(unused, "\\\\{[^}]*\\\\b\\1\\\\b", lint$message), readLines(lint$filename)))
}

found <- lapply(commandArgs(trailingOnly = TRUE), function(file) {
  Filter(Negate(is_interpolated), lintr::lint(file))
})
for (lint in unlist(found, recursive = FALSE)) print(lint)
if (sum(lengths(found)) > 0) quit(status = 1)
