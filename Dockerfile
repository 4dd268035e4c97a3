# The worker as a Lambda container image, for x86-64 and arm64. `make image` fills .build/image/context, which this copies from, and calls
# this; README.md says how to run what comes out.
#
# The base images are arguments. Any base will do that has CA certificates: the worker brings its C library with it.
ARG GO_IMAGE=docker.io/library/golang:1.26-bookworm
ARG LIBC_IMAGE=gcr.io/distroless/cc-debian12:nonroot
ARG BASE_IMAGE=gcr.io/distroless/static-debian12:nonroot

FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
ARG TARGETARCH
# The C compiler for the image's architecture: a Go image has one for its own.
RUN case "$TARGETARCH" in \
      amd64) target=x86_64-linux-gnu package=gcc-x86-64-linux-gnu loader=ld-linux-x86-64.so.2 ;; \
      arm64) target=aarch64-linux-gnu package=gcc-aarch64-linux-gnu loader=ld-linux-aarch64.so.1 ;; \
      *) echo "image: error: no worker for $TARGETARCH" >&2; exit 1 ;; \
    esac; \
    command -v $target-gcc >/dev/null || \
      { apt-get update && apt-get install -y --no-install-recommends $package "libc6-dev-$TARGETARCH-cross"; } || exit 1; \
    mkdir /cross; \
    ln -s "$(command -v $target-gcc)" /cross/gcc; \
    printf '%s' "-Wl,--dynamic-linker=/opt/lib/$loader -Wl,-rpath,/opt/lib" > /cross/ldflags
WORKDIR /src
COPY go.mod go.sum ./
COPY .build/image/context/vendor vendor
COPY inference inference
COPY cmd/internal/command cmd/internal/command
COPY cmd/internal/library cmd/internal/library
COPY cmd/internal/page cmd/internal/page
COPY cmd/worker cmd/worker
RUN --mount=type=cache,target=/gocache \
    CGO_ENABLED=1 GOARCH=$TARGETARCH CC=/cross/gcc GOCACHE=/gocache GOTOOLCHAIN=local go build -mod=vendor -trimpath -buildvcs=false \
      -tags lambda.norpc,netgo,osusergo -ldflags "-s -w -buildid= -extldflags '$(cat /cross/ldflags)'" -o /out/task/worker ./cmd/worker
RUN mkdir -p /out/lib && inference/ort/ops/build /cross/gcc /src/vendor/github.com/yalue/onnxruntime_go /out/lib/libskiff.so -s -Wl,--build-id=none
# RUN_ID puts the run's bundle beside the worker. Without it, the image has none, and the worker reads it from S3.
ARG RUN_ID
COPY models models
RUN mkdir -p /out/rest/root /out/rest/var/task/models && if [ -n "$RUN_ID" ]; then cp -r "models/$RUN_ID" /out/rest/var/task/models/; fi && \
    chmod -R u=rwX,go=rX /out && chmod 711 /out/rest/root

FROM ${LIBC_IMAGE} AS libc

FROM ${BASE_IMAGE}
ARG TARGETARCH
# What onnxruntime and the worker are linked to, with the packages' entries for scanners: 6 MB of the 25 that the whole base has.
COPY --from=libc /lib/*-linux-gnu/ld-linux-*.so.* /lib/*-linux-gnu/libc.so.6 /lib/*-linux-gnu/libm.so.6 /lib/*-linux-gnu/libdl.so.2 \
     /lib/*-linux-gnu/libpthread.so.0 /lib/*-linux-gnu/librt.so.1 /lib/*-linux-gnu/libgcc_s.so.1 /usr/lib/*-linux-gnu/libstdc++.so.6 /opt/lib/
COPY --from=libc /var/lib/dpkg/status.d/libc6* /var/lib/dpkg/status.d/libgcc-s1* /var/lib/dpkg/status.d/libstdc++6* /var/lib/dpkg/status.d/
COPY --chmod=755 .build/image/context/$TARGETARCH/libonnxruntime.so /opt/lib/
COPY --from=build /out/lib /opt/lib
COPY --from=build /out/task /var/task
COPY --from=build /out/rest /
# Only outside Lambda: ~/.aws of the host, mounted where the tutorial has it. /root has nothing else in it, and may be passed through by
# any user. Lambda gives credentials in variables; asking a machine that is none of AWS's for some only takes time.
ENV AWS_SHARED_CREDENTIALS_FILE=/root/.aws/credentials AWS_CONFIG_FILE=/root/.aws/config AWS_EC2_METADATA_DISABLED=true
# The worker sets this itself before it loads onnxruntime, which otherwise sends telemetry; here it holds for whatever else loads it.
ENV ORT_DISABLE_TELEMETRY=1
ARG RUN_ID
ENV RUN_ID=$RUN_ID
WORKDIR /var/task
USER 65532:65532
EXPOSE 8080
# In Lambda this serves; anywhere else it answers what is posted to port 8080.
ENTRYPOINT ["/var/task/worker", "-listen", ":8080"]
