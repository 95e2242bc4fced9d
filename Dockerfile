# One image for everything of fenhe: collector, worker, migrations, simulators. docker-compose.yml names the command.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source

# The locked packages first: this layer changes only with the lock. Every one is checked against its hash.
COPY pyproject.toml requirements.lock ./
COPY deploy/requirements_of.py deploy/
RUN python -m venv /opt/fenhe && python -m venv /opt/build \
 && python deploy/requirements_of.py fenhe > /tmp/runtime.txt \
 && python deploy/requirements_of.py hatchling > /tmp/build.txt \
 && /opt/fenhe/bin/pip install --require-hashes -r /tmp/runtime.txt \
 && /opt/build/bin/pip install --require-hashes -r /tmp/build.txt

COPY . .
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /tmp/wheel . \
 && /opt/fenhe/bin/pip install --no-deps --no-index /tmp/wheel/*.whl \
 && /opt/fenhe/bin/pip check \
 && /opt/fenhe/bin/python -m compileall -q /opt/fenhe/lib

FROM python:3.11-slim
# Docker gives a new volume the owner and mode of the folder it is mounted on. The broker reads the key by group 10001.
RUN command -v openssl || { apt-get update && apt-get install -y --no-install-recommends openssl && rm -rf /var/lib/apt/lists/*; }
RUN groupadd --gid 10001 fenhe \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin fenhe \
 && install -d -o 10001 -g 10001 -m 0750 /tls \
 && install -d -o 10001 -g 10001 -m 0755 /ca \
 && install -d -o 10001 -g 10001 -m 0700 /accounts
COPY --from=build /opt/fenhe /opt/fenhe
ENV PATH=/opt/fenhe/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /tmp
CMD ["fenhe", "--help"]
