# What a build runs on: the run image and uv, so that what is installed here works there.
ARG RUN_IMAGE
FROM ${RUN_IMAGE}
COPY uv /usr/local/bin/uv
