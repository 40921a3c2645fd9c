################################################################################
#
# lanai
#
################################################################################

LANAI_VERSION = 0.1.0
# The source tree that this directory is part of, with its crates vendored;
# image/buildroot/build lays it there, so that make needs no network for it.
LANAI_SITE = $(BASE_DIR)/lanai-source
LANAI_SITE_METHOD = local
LANAI_LICENSE = MIT or Apache-2.0
LANAI_LICENSE_FILES = LICENSE-MIT LICENSE-APACHE
LANAI_CARGO_BUILD_OPTS = -p lanai

# The program says nothing of where it was built. cargo chooses how much its C
# parts are optimised, and one of them refuses to be. Whoever calls make may
# have a directory of their own for what cargo makes.
LANAI_CARGO_ENV = \
	CARGO_TARGET_DIR="$(@D)/target" \
	RUSTFLAGS="--remap-path-prefix=$(@D)=/lanai" \
	CFLAGS="$(filter-out -O%,$(TARGET_CFLAGS)) -ffile-prefix-map=$(@D)=/lanai"

ifeq ($(BR2_PACKAGE_LANAI_WHOLE_PROGRAM),y)
LANAI_CARGO_ENV += \
	CARGO_PROFILE_RELEASE_LTO="fat" \
	CARGO_PROFILE_RELEASE_CODEGEN_UNITS="1" \
	CARGO_PROFILE_RELEASE_OPT_LEVEL="3"
endif

# Buildroot only adds to what it has copied before; cargo's own files stay.
define LANAI_REMOVE_WHAT_IS_GONE
	rsync -a --delete --exclude=/target --exclude='/.stamp_*' \
		--exclude='/.br*' --exclude='/.files-list*' $(LANAI_SITE)/ $(@D)/
endef
LANAI_POST_RSYNC_HOOKS += LANAI_REMOVE_WHAT_IS_GONE

# Function names stay: the engine's watchdog writes stacks to the log.
define LANAI_INSTALL_TARGET_CMDS
	$(INSTALL) -D -m 0755 \
		$(@D)/target/$(RUSTC_TARGET_NAME)/$(if $(BR2_ENABLE_DEBUG),debug,release)/lanai \
		$(TARGET_DIR)/usr/sbin/lanai
	$(TARGET_CROSS)strip --strip-debug $(TARGET_DIR)/usr/sbin/lanai
endef

$(eval $(cargo-package))
