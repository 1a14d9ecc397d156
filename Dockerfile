# syntax=docker/dockerfile:1
# The worker process of this package: its activities and, with PROVIDER_MANAGER_DATABASE_URL, rotations and schedules.
# The workflows of agents run in your own worker. Also the CLI: `docker run … node dist/cli/main.js`.

FROM node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build

FROM node:22-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
COPY docker/dependencies.mjs ./docker/
RUN node docker/dependencies.mjs \
  && npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  # The SDK's native core comes for five platforms, 30 MB each; the image needs one.
  && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 \
    ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} +

FROM node:22-slim
# For TLS to Temporal Cloud, whose client reads the system's certificates.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
# For the health check, and for Prometheus: 0.0.0.0:9464 if it runs in another container.
ENV PROVIDER_METRICS_ADDRESS=9464
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY src/store/schema ./src/store/schema
COPY docker/healthcheck.mjs ./docker/
# The keys of grants are mounted here; a new volume takes the owner of its folder.
RUN install -d -o node -g node /grants/public /grants/private
# Owned by root, so the process cannot change its own code.
USER node
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["node", "docker/healthcheck.mjs"]
CMD ["node", "dist/worker.js"]
