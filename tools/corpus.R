# Objects of all kinds to Go and back, counted: Rscript tools/corpus.R <root>
# Ends with 1 if one of them came back changed.

library(mangoro)
`%||%` <- rlang::`%||%`

local({
  root <- commandArgs(trailingOnly = TRUE)[[1]]
  tests <- file.path(root, "tests", "testthat")
  corpus <- new.env(parent = asNamespace("mangoro"))
  for (file in c("helper-types.R", "helper-corpus.R")) sys.source(file.path(tests, file), corpus)

  of_package <- function(package) {
    if (!requireNamespace(package, quietly = TRUE)) {
      message("not installed: ", package)
      return(list())
    }
    names <- utils::data(package = package)$results[, "Item"]
    names <- unique(sub(" .*", "", names))
    if (package == "datasets") names <- ls("package:datasets")
    objects <- lapply(names, function(name) {
      if (exists(name, asNamespace(package))) return(get(name, asNamespace(package)))
      found <- new.env()
      utils::data(list = name, package = package, envir = found)
      found[[name]]
    })
    stats::setNames(objects, names)
  }

  # What functions of the packages return that users read and group data with.
  made_by_packages <- function() {
    made <- list()
    add <- function(package, ...) {
      if (requireNamespace(package, quietly = TRUE)) made <<- c(made, eval(substitute(list(...)), parent.frame()))
    }
    csv <- tempfile()
    writeLines(c("a,b,c,t", "1,x,2024-02-29,10:00:00", "2,,2024-03-01,11:30:00"), csv)
    add("readr", read_csv = readr::read_csv(csv, show_col_types = FALSE))
    add("tibble", tibble = tibble::tibble(x = 1:3, y = list(1, NULL, 2:3)), tribble = tibble::tribble(~a, ~b, 1, "x"))
    add("dplyr",
      group_by = dplyr::group_by(datasets::mtcars, cyl, gear), rowwise = dplyr::rowwise(datasets::iris),
      summarised = dplyr::summarise(dplyr::group_by(datasets::iris, Species), n = dplyr::n()),
      nested = dplyr::nest_by(datasets::iris, Species)
    )
    add("data.table",
      fread = data.table::fread(csv), data.table = data.table::data.table(a = 1:3, b = letters[1:3], key = "a"),
      IDate = data.table::as.IDate("2024-02-29"), ITime = data.table::as.ITime("10:20:30"),
      setDT = data.table::as.data.table(datasets::iris),
      dates = data.table::IDateTime(as.POSIXct("2024-02-29", tz = "UTC"))
    )
    add("haven",
      labelled = haven::labelled(c(1, 2, NA), c(yes = 1, no = 2), label = "Q"),
      labelled_spss = haven::labelled_spss(c(1, 9), c(yes = 1), na_values = 9),
      labelled_text = haven::labelled(c("a", NA), c(A = "a")), tagged = haven::tagged_na("a"),
      sav = {
        sav <- tempfile(fileext = ".sav")
        haven::write_sav(datasets::iris, sav)
        haven::read_sav(sav)
      }
    )
    add("hms", hms = hms::hms(1, 2, 3), hms_many = hms::as_hms(c("10:00:00", NA)))
    add("blob", blob = blob::blob(as.raw(1:3), NULL), empty_blob = blob::blob())
    add("zoo", zoo = zoo::zoo(1:3, as.Date("2024-01-01") + 0:2), yearmon = zoo::as.yearmon("2024-02"))
    add("survival",
      Surv = survival::Surv(c(1, 2), c(1, 0)), lung = survival::lung,
      survfit = survival::survfit(survival::Surv(time, status) ~ 1, survival::lung)
    )
    add("bit64", integer64 = bit64::as.integer64(c("9007199254740993", NA)))
    made
  }

  # In words, without the methods of any class.
  difference <- function(got, wanted) {
    bare <- function(x) {
      list(values = if (is.list(x)) lapply(unclass(x), bare) else as.vector(unclass(x)), attributes = attributes(x))
    }
    toString(utils::head(tryCatch(all.equal(bare(got), bare(wanted)), error = conditionMessage), 2))
  }

  groups <- list(
    datasets = of_package("datasets"), nycflights13 = of_package("nycflights13"), dplyr = of_package("dplyr"),
    nlme = of_package("nlme"), "by packages" = made_by_packages(),
    "by hand" = c(corpus$vector_types(), corpus$frame_types(), corpus$value_types(), corpus$class_types())
  )
  h <- mangoro_start(file.path(tests, "go", "corpus.go"))
  on.exit(mangoro_stop(h))
  ways <- corpus$corpus_ways(h)
  kinds <- c("identical", "as documented", "refused", "changed", "failed", "not tried")
  counted <- list()
  told <- character()
  for (group in names(groups)) {
    for (way in names(ways)) {
      found <- lapply(groups[[group]], corpus$corpus_outcome, ways[[way]])
      outcome <- vapply(found, `[[`, "", "outcome")
      counts <- table(factor(outcome, kinds))
      counted[[length(counted) + 1]] <- data.frame(group = group, way = way, t(as.matrix(counts)), check.names = FALSE)
      for (i in which(outcome %in% c("changed", "failed", "refused"))) {
        result <- found[[i]]$result
        why <- found[[i]]$message %||% difference(result$got, result$wanted)
        name <- names(found)[[i]]
        told <- c(told, sprintf("%-9s %-6s %s$%s: %s", outcome[[i]], way, group, name, gsub("\n", " ", why)))
      }
    }
  }
  counted <- do.call(rbind, counted)
  total <- data.frame(group = "all", way = "all", t(colSums(counted[kinds])), check.names = FALSE)
  writeLines(c(sort(told), ""))
  print(rbind(counted, total), row.names = FALSE)
  if (total$changed + total$failed > 0) quit(status = 1)
})
