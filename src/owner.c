// Who owns a file, and who else may write to it. R's file.info() follows
// symbolic links and does not know who R runs as.

#include "entries.h"

#ifdef _WIN32

SEXP mg_c_file_owners(SEXP paths) {
  (void)paths;
  return R_NilValue;
}

#else

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/xattr.h>
#endif

// With an access control list the permissions of the group are the most that
// anybody in the list has.
static bool has_list(const char *path) {
#ifdef __linux__
  return getxattr(path, "system.posix_acl_access", NULL, 0) > 0;
#else
  (void)path;
  return false;
#endif
}

// Whether the group is the owner's alone, as those are that many systems make
// for each user. That of root is often given to others, in containers above all.
static bool is_private_group(uid_t uid, gid_t gid) {
  if (uid == 0) return false;
  const struct passwd *user = getpwuid(uid);
  if (user == NULL || user->pw_gid != gid) return false;
  char name[256];
  if (strlen(user->pw_name) >= sizeof name) return false;
  strcpy(name, user->pw_name);
  const struct group *group = getgrgid(gid);
  if (group == NULL || strcmp(group->gr_name, name) != 0) return false;
  for (char **member = group->gr_mem; *member != NULL; member++) {
    if (strcmp(*member, name) != 0) return false;
  }
  return true;
}

static bool others_may_write(const char *path, const struct stat *info) {
  if (info->st_mode & S_IWOTH) return true;
  if (!(info->st_mode & S_IWGRP)) return false;
  return has_list(path) || !is_private_group(info->st_uid, info->st_gid);
}

// A list of vectors with an element for each path, NA where there is no such file:
// whether it is a link; its owner; whether that is the user of this process, root or the
// owner of the root directory, all of whom can do anything with it; whether others may
// write to it; whether it is a directory in which they can only replace their own files.
SEXP mg_c_file_owners(SEXP paths) {
  R_xlen_t n = Rf_xlength(paths);
  const char *names[] = {"link", "uid", "own", "writable", "sticky", ""};
  SEXP out = PROTECT(Rf_mkNamed(VECSXP, names));
  for (int i = 0; i < 5; i++) SET_VECTOR_ELT(out, i, Rf_allocVector(i == 1 ? REALSXP : LGLSXP, n));
  int *link = LOGICAL(VECTOR_ELT(out, 0)), *own = LOGICAL(VECTOR_ELT(out, 2));
  int *writable = LOGICAL(VECTOR_ELT(out, 3)), *sticky = LOGICAL(VECTOR_ELT(out, 4));
  double *uid = REAL(VECTOR_ELT(out, 1));
  struct stat root;
  bool has_root = stat("/", &root) == 0;
  for (R_xlen_t i = 0; i < n; i++) {
    const char *path = Rf_translateChar(STRING_ELT(paths, i));
    struct stat info;
    if (lstat(path, &info) != 0) {
      link[i] = own[i] = writable[i] = sticky[i] = NA_LOGICAL;
      uid[i] = NA_REAL;
      continue;
    }
    link[i] = S_ISLNK(info.st_mode);
    uid[i] = info.st_uid;
    own[i] = info.st_uid == geteuid() || info.st_uid == 0 || (has_root && info.st_uid == root.st_uid);
    writable[i] = !link[i] && others_may_write(path, &info);
    sticky[i] = S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0;
  }
  UNPROTECT(1);
  return out;
}

#endif
