# What a build runs on: the run image and uv, so that what is installed here works there.
ARG RUN_IMAGE
FROM ${RUN_IMAGE}
COPY uv /usr/local/bin/uv
# Python's own library compiled: the buildpack starts twice in a build, and would compile it twice, half a second.
USER root
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /usr/lib/python3 /usr/lib/python3.11
USER 1000:1000
