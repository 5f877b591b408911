# What every model image stands on: Debian, its Python, certificates, a user. No compiler, no pip, no uv.
# Python's own library is compiled once, here, and is the same bytes each time: on a read-only root every start of a
# container would do it anew, a third of a second of CPU; and a build would, in each of its phases.
ARG BASE
FROM ${BASE} AS debian
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get -y upgrade \
 && DEBIAN_FRONTEND=noninteractive apt-get -y install --no-install-recommends ca-certificates python3 \
 && groupadd --gid 1000 cnb \
 && useradd --uid 1000 --gid 1000 --create-home --shell /bin/bash cnb \
 && find / -xdev -name __pycache__ -prune -exec rm -rf {} + \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /usr/lib/python3.* \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/* /tmp/*

# One layer: what the upgrade replaced would otherwise be in the image twice, a seventh of it.
FROM scratch
COPY --from=debian / /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin CNB_USER_ID=1000 CNB_GROUP_ID=1000
LABEL io.buildpacks.base.distro.name=debian io.buildpacks.base.distro.version=12
USER 1000:1000
