# SPDX-License-Identifier: MIT
# For people who expect make: CMake builds the programs, Kbuild the module. DESTDIR and PREFIX are honoured.
PREFIX ?= /usr/local
KDIR ?= /lib/modules/$(shell uname -r)/build

all:
	scripts/build

# the program, its man page, the headers and the module's source for dkms
install: all
	DESTDIR=$(DESTDIR) cmake --install build --prefix $(PREFIX)

modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

check:
	scripts/test --quick

.PHONY: all install modules check
