#include <qrencode.h>
#include <string.h>

/* Writes the modules of the QR code of a text, row by row, a byte each: 1 for a dark one, 0 for a light one.
   Returns how many are in a row, or 0 where the code has more than `capacity` in all, or cannot be made. */
static inline int cqrencode_modules(const char *text, unsigned char *modules, int capacity) {
    /* Level M: a seventh of the code may be hidden by a reflection. Version 0: the smallest that fits. */
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
    if (code == NULL) return 0;
    int width = code->width, count = width * width;
    if (count <= capacity) {
        for (int index = 0; index < count; index++) modules[index] = code->data[index] & 1;
    } else {
        width = 0;
    }
    QRcode_free(code);
    return width;
}
