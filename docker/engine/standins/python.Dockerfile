# Stands in for python:3.11-slim-bookworm: Debian's own Python where the official image has its own.
FROM debian:bookworm-slim
ENV LANG=C.UTF-8
COPY pip.conf /etc/pip.conf
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-pip python3-venv netbase tzdata \
 && rm -f /usr/lib/python3.11/EXTERNALLY-MANAGED \
 && for name in python python3 python3.11; do ln -s /usr/bin/python3.11 /usr/local/bin/$name; done \
 && for name in pip pip3 pip3.11; do ln -s /usr/bin/pip3 /usr/local/bin/$name; done \
 && rm -rf /var/lib/apt/lists/*
CMD ["python3"]
