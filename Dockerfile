# A static binary and nothing else: docker run --rm -v "$PWD:/src:ro" plimsoll check
# Alpine's Rust links statically; the image brings the C compiler that mimalloc needs.
FROM rust:1.95-alpine AS build
WORKDIR /build
COPY . .
RUN CARGO_PROFILE_RELEASE_STRIP=true cargo build --release --locked

FROM scratch
COPY --from=build /build/target/release/plimsoll /plimsoll
COPY LICENSE-APACHE LICENSE-MIT /
# Any number but 0: there is no list of users in here.
USER 65532:65532
WORKDIR /src
ENTRYPOINT ["/plimsoll"]
CMD ["check"]
