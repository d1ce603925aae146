/* The least that a fresh token can cost in Python: a method without arguments that returns an object that is there,
 * and one that first reads the clocks that the library reads. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <time.h>

static PyObject *text;

static PyObject *object(PyObject *self, PyObject *unused) {
    (void)self;
    (void)unused;
    Py_INCREF(text);
    return text;
}

static PyObject *clock_and_object(PyObject *self, PyObject *unused) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return object(self, unused);
}

static PyMethodDef methods[] = {{"object", object, METH_NOARGS, NULL},
                                {"clock_and_object", clock_and_object, METH_NOARGS, NULL},
                                {NULL, NULL, 0, NULL}};
static PyType_Slot slots[] = {{Py_tp_methods, methods}, {0, NULL}};
static PyType_Spec spec = {"c_floor.Floor", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, slots};
static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "c_floor", NULL, -1, NULL, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_c_floor(void) {
    PyObject *created = PyModule_Create(&module);
    text = PyUnicode_FromString("Bearer not-a-real-token");
    if (created != NULL)
        PyModule_AddObject(created, "Floor", PyType_FromSpec(&spec));
    return created;
}
