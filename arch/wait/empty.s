// This file lets the compiler accept the body-less functions of this package.
