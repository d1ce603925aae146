/* The least that a fresh token can cost in Python: a method that reads the clocks that the library reads
 * and returns an object that is there. benches/hot_path.py compares. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <time.h>

static PyObject *text;

static PyObject *authorization(PyObject *self, PyObject *unused) {
    struct timespec now;
    (void)self;
    (void)unused;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    Py_INCREF(text);
    return text;
}

static PyMethodDef methods[] = {{"authorization", authorization, METH_NOARGS, NULL},
                                {NULL, NULL, 0, NULL}};
static PyType_Slot slots[] = {{Py_tp_methods, methods}, {0, NULL}};
static PyType_Spec spec = {"floor.Floor", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, slots};
static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "floor", NULL, -1, NULL, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_floor(void) {
    PyObject *created = PyModule_Create(&module);
    text = PyUnicode_FromString("Bearer not-a-real-token");
    if (created != NULL)
        PyModule_AddObject(created, "Floor", PyType_FromSpec(&spec));
    return created;
}
