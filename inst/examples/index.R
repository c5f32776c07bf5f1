# An index that stays in Go: made once, asked and changed from R, and let go.
#
# Usage: Rscript index.R

library(mangoro)

go <- mangoro_source(system.file("examples", "index.go", package = "mangoro"))
set.seed(1)
words <- unique(vapply(1:20000, function(i) paste(sample(letters, 6, TRUE), collapse = ""), ""))

index <- go$NewIndex(words)
print(index)

# A method of single values takes vectors, as R's own functions do.
prefixes <- c("a", "ab", "abc", NA)
counts <- index$Lookup(prefixes)
print(data.frame(prefix = prefixes, words = counts))
in_r <- vapply(prefixes, function(prefix) sum(startsWith(words, prefix)), 1L, USE.NAMES = FALSE)
stopifnot(identical(counts, in_r))

index$Add(c("mangoro", "mangos"))
stopifnot(index$Lookup("mango") == 2 + sum(startsWith(words, "mango")), index$Len() == length(words) + 2)

# Two indexes at the same time, one of them in the background.
other <- go$NewIndex("alone")
task <- mangoro_async(index$Lookup, letters)
stopifnot(other$Lookup("al") == 1, sum(mangoro_value(task)) == index$Len())

# An index goes when nothing in R refers to it, and at once when it is closed.
rm(other)
close(index)
message <- tryCatch(index$Len(), mangoro_error_not_found = conditionMessage)
cat(message, "\n")

close(go)
