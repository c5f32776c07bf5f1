# The table of R objects of the vignette "types".
types_table <- function() {
  file <- c(test_path("..", "..", "vignettes", "types.Rmd"), system.file("doc", "types.Rmd", package = "mangoro"))
  file <- file[file.exists(file)]
  skip_if(length(file) == 0, "the vignette is not here")
  lines <- readLines(file[[1]], encoding = "UTF-8")
  lines <- lines[seq(grep("table of R objects", lines), grep("end of the table", lines))]
  rows <- regmatches(lines, regexec("^\\| `(.*)` \\| ([^|]+) \\|", lines))
  rows <- Filter(length, rows)
  data.frame(r = vapply(rows, `[[`, "", 2), arrow = trimws(vapply(rows, `[[`, "", 3)))
}

test_that("each R object of the table is the Arrow type that it says", {
  server <- local_server(test_source("typed"))
  table <- types_table()
  expect_gt(nrow(table), 15)
  for (i in seq_len(nrow(table))) {
    value <- eval(parse(text = table$r[[i]]))
    expect_identical(mangoro_call(server$sock, "arrow_type", value), table$arrow[[i]], info = table$r[[i]])
  }
})

test_that("each R object of the table comes back the same", {
  server <- local_server(test_source("server"))
  table <- types_table()
  for (i in seq_len(nrow(table))) {
    value <- eval(parse(text = table$r[[i]]))
    expect_same(echo_value(server$sock, value), value, info = table$r[[i]])
  }
})
