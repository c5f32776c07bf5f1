test_that("an option is of its kind, and NULL is its default", {
  wrong <- list(
    mangoro.timeout = list(0, -1, NA_real_, "1", 1:2, TRUE),
    mangoro.connect_timeout = list(0, "no"),
    mangoro.go_path = list("", c("a", "b"), 1, NA_character_),
    mangoro.cache_dir = list("", 1),
    mangoro.cache_max_age = list(-1, "no", NA_real_),
    mangoro.cache_max_size = list(-1, "no"),
    mangoro.int64 = list("no", 64, NA_character_),
    mangoro.shared_memory = list("no", 1, NA),
    mangoro.output = list("no", 1, NA, c(TRUE, FALSE)),
    mangoro.progress = list("no", 1, NA),
    mangoro.go_site = list("", 1)
  )
  expect_setequal(names(wrong), names(option_rules))
  for (name in names(wrong)) {
    for (value in wrong[[name]]) {
      withr::with_options(rlang::set_names(list(value), name), {
        cnd <- expect_error(read_option(name), class = "mangoro_error_invalid_argument")
        expect_identical(cnd$arg, name)
        expect_match(conditionMessage(cnd), sprintf("The option `%s` must be ", name), fixed = TRUE)
      })
    }
    withr::with_options(rlang::set_names(list(NULL), name), expect_identical(read_option(name, "default"), "default"))
  }
})

test_that("a call checks its options before anything is sent", {
  go <- local_source(code = "func Add(x, y float64) float64 { return x + y }")
  add <- go$Add
  for (i in 1:3) expect_identical(add(1, 2), 3) # over the lane, where there is one
  wrong <- list(
    mangoro.timeout = "no", mangoro.connect_timeout = 0, mangoro.int64 = "no", mangoro.shared_memory = "no",
    mangoro.output = "no", mangoro.progress = 2
  )
  refused <- function(expr) {
    cnd <- expect_error(expr, class = "mangoro_error_invalid_argument")
    expect_identical(cnd$arg, name)
  }
  for (name in names(wrong)) {
    withr::with_options(wrong[name], {
      refused(mangoro_call(go, "Add", 1, 2))
      refused(mangoro_async(add, 1, 2))
      # These matter to no call that C makes, which has neither.
      if (!name %in% c("mangoro.connect_timeout", "mangoro.progress")) refused(add(1, 2))
    })
    expect_identical(add(1, 2), 3)
  }
})
