# Stands in for prom/prometheus: Debian's Prometheus 2.42, laid out as in the official image, with the page Debian builds.
FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends busybox fonts-glyphicons-halflings libjs-bootstrap4 \
        libjs-eonasdan-bootstrap-datetimepicker libjs-jquery libjs-jquery-hotkeys libjs-moment libjs-moment-timezone \
        libjs-mustache libjs-popper.js libjs-rickshaw \
 && ln -s /bin/busybox /bin/wget \
 && cd /tmp && apt-get download prometheus && dpkg-deb -x prometheus_*.deb tree \
 && install -m 0755 tree/usr/bin/prometheus tree/usr/bin/promtool /bin/ \
 && cp -a tree/usr/share/prometheus /usr/share/ \
 && install -d -o nobody -g nogroup /prometheus /etc/prometheus \
 && rm -rf /tmp/* /var/lib/apt/lists/*
USER nobody
EXPOSE 9090
VOLUME ["/prometheus"]
WORKDIR /prometheus
ENTRYPOINT ["/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
