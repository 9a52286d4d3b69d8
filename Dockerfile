# octopoid-server serve in a container: docs/self-host.md. The tag of the image names the version of this checkout.
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN npm ci --no-audit --no-fund && npm pack --pack-destination /

FROM node:24-bookworm-slim
# The certificates are for webhooks and traces, which are sent over TLS.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /octopoid-server-*.tgz /tmp/
RUN npm install --global --no-audit --no-fund /tmp/octopoid-server-*.tgz && rm /tmp/octopoid-server-*.tgz && npm cache clean --force
# A volume that is new gets the owner of the folder that it covers.
RUN install -d -o node -g node -m 700 /data
USER node
VOLUME /data
EXPOSE 8787
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8787/api/health').then(({ status }) => process.exit(status === 200 ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["octopoid-server"]
CMD ["serve", "--data", "/data", "--host", "0.0.0.0"]
