// Time zones: R's own, and fixed offsets.

#include "class.h"

#include <stdio.h>

// The name of the zone that R's times are in if they name none, as a string or NA;
// protected by the caller.
SEXP mg_session_zone(void) {
  SEXP name = PROTECT(Rf_lang3(Rf_install(":::"), Rf_install("mangoro"), Rf_install("session_zone")));
  SEXP call = PROTECT(Rf_lang1(name));
  SEXP zone = Rf_eval(call, R_BaseEnv);
  UNPROTECT(2);
  return TYPEOF(zone) == STRSXP && Rf_xlength(zone) == 1 ? STRING_ELT(zone, 0) : NA_STRING;
}

// Whether tzone, a character vector without NA, stands for R's local time.
bool mg_is_local_zone(SEXP tzone) { return Rf_xlength(tzone) == 0 || LENGTH(STRING_ELT(tzone, 0)) == 0; }

static int two_digits(const char *p) {
  return p[0] >= '0' && p[0] <= '9' && p[1] >= '0' && p[1] <= '9' ? 10 * (p[0] - '0') + p[1] - '0' : -1;
}

// The minutes of an offset as Arrow writes it: +05:30, +0530 or +05.
bool mg_zone_offset(const char *zone, int *minutes) {
  size_t n = strlen(zone);
  if ((zone[0] != '+' && zone[0] != '-') || (n != 3 && n != 5 && n != 6) || (n == 6 && zone[3] != ':')) return false;
  int hour = two_digits(zone + 1), minute = n == 3 ? 0 : two_digits(zone + n - 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return false;
  *minutes = (zone[0] == '-' ? -1 : 1) * (60 * hour + minute);
  return true;
}

// The name that R has for a zone of Arrow. For offsets that is a rule of POSIX, which
// counts them from Greenwich to the west, or one of the zones of that kind.
SEXP mg_zone_in_r(const char *zone) {
  char name[32];
  int minutes;
  if (!mg_zone_offset(zone, &minutes)) return Rf_mkCharCE(zone, CE_UTF8);
  if (minutes == 0) return Rf_mkChar("UTC");
  if (minutes % 60 == 0 && minutes >= -12 * 60 && minutes <= 14 * 60) {
    snprintf(name, sizeof name, "Etc/GMT%+d", -minutes / 60);
  } else {
    bool east = minutes > 0;
    int size = east ? minutes : -minutes;
    snprintf(name, sizeof name, "<%c%02d%02d>%c%02d:%02d", east ? '+' : '-', size / 60, size % 60, east ? '-' : '+',
             size / 60, size % 60);
  }
  return Rf_mkChar(name);
}
