# README.md from README.Rmd: Rscript tools/readme.R <root> [<output>]

main <- function(root, output = file.path(root, "README.md")) {
  text <- litedown::fuse(file.path(root, "README.Rmd"), "markdown", quiet = TRUE)
  text <- strsplit(paste(text, collapse = "\n"), "\n", fixed = TRUE)[[1]]
  text <- gsub("^``` \\{\\.r\\}$", "```r", text)
  text <- gsub("^``` \\{\\.plain.*\\}$", "```", text)
  # The title is in the text too.
  if (identical(text[[1]], "---")) text <- text[-seq_len(which(text == "---")[[2]])]
  writeLines(text[cumsum(nzchar(text)) > 0], output)
}

do.call(main, as.list(commandArgs(trailingOnly = TRUE)))
