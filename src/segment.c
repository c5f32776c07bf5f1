// Stand-in until the segments are there.
#define _GNU_SOURCE
#include "segment.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool mg_segment_possible(void) { return true; }

mg_segment *mg_segment_take(mg_segment_role role, size_t size) {
  static uint32_t generation;
  size = (size + 4095) / 4096 * 4096;
  int fd = memfd_create("mangoro", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0 || ftruncate(fd, (off_t)size) != 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) != 0) return NULL;
  void *data =
      mmap(NULL, size, PROT_READ | PROT_WRITE, role == SEGMENT_RESULTS ? MAP_PRIVATE : MAP_SHARED, fd, 0);
  mg_segment *s = calloc(1, sizeof *s);
  *s = (mg_segment){.role = role, .fd = fd, .generation = ++generation, .data = data, .size = size, .uses = 1};
  return s;
}
void mg_segment_use(mg_segment *s) { s->uses++; }
void mg_segment_release(mg_segment *s) {
  if (--s->uses > 0) return;
  munmap(s->data, s->size);
  close(s->fd);
  free(s);
}
void mg_segment_retire(mg_segment *s) { s->retired = true; }
bool mg_segment_grow(mg_segment *s) {
  struct stat st;
  if (fstat(s->fd, &st) != 0) return false;
  munmap(s->data, s->size);
  s->size = (size_t)st.st_size;
  s->data = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_PRIVATE, s->fd, 0);
  return true;
}
