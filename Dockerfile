FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /build
# With the console, if it was built before: scripts/image.sh build does.
COPY . .
# The caches live outside of the layers: a change of the code does not build the dependencies again.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/build/target \
    cargo build --release --locked --package dead-letter \
    && cp target/release/dead-letter .

FROM debian:bookworm-slim
LABEL org.opencontainers.image.source=https://github.com/dead-letter/dead-letter \
    org.opencontainers.image.licenses=Apache-2.0
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /build/dead-letter /usr/local/bin/dead-letter
USER 65532:65532
EXPOSE 8080 9090
ENTRYPOINT ["/usr/local/bin/dead-letter"]
CMD ["serve"]
