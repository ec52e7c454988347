# One image for every process of Dealwright: worker (`python worker.py`), API (`dealwright api`), migrations
# (`dealwright db upgrade`). Debian, not Alpine: temporalio ships no musl wheels.
FROM python:3.11.15-slim-bookworm AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements-cluster.txt .
RUN python -m venv /venv && /venv/bin/pip install --require-hashes --only-binary :all: -r requirements-cluster.txt

FROM python:3.11.15-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DEALWRIGHT_DATA_DIR=/var/lib/dealwright DEALWRIGHT_LOG_FORMAT=json
# The data folder belongs to the user before it is a volume, so that a fresh volume does as well.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin dealwright \
    && install --directory --owner dealwright --group dealwright --mode 0700 /var/lib/dealwright
COPY --from=dependencies /venv /venv
COPY . /app
RUN python -m compileall -q /app \
    && printf '#!/venv/bin/python\nfrom cli.main import app\napp()\n' > /venv/bin/dealwright \
    && chmod 0755 /venv/bin/dealwright
WORKDIR /app
USER dealwright
VOLUME /var/lib/dealwright
CMD ["python", "worker.py"]
