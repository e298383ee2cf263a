# Images of the programs that serve, one a stage. In each are the program, the
# root certificates of the system that built it, and nothing else:
#
#	docker build --target statuspage -t statuspage .
#	docker run -p 8080:8080 -v ./sites.txt:/sites.txt:ro -v history:/data statuspage -f /sites.txt -db /data/history.db
#	docker build --target exporter -t exporter .
#	docker run -p 9115:9115 -v ./sites.txt:/sites.txt:ro exporter -f /sites.txt
#	docker build --target linkcheck-service -t linkcheck-service .
#	docker run -p 8080:8080 linkcheck-service

ARG BUILDER=docker.io/library/golang:1.26
FROM ${BUILDER} AS build
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -o /out/ ./programs/statuspage ./programs/exporter ./examples/linkcheck-service && mkdir /out/data

FROM scratch AS base
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
USER 65532:65532

FROM base AS statuspage
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build /out/statuspage /
EXPOSE 8080
ENTRYPOINT ["/statuspage", "-addr", ":8080"]

FROM base AS exporter
COPY --from=build /out/exporter /
EXPOSE 9115
ENTRYPOINT ["/exporter", "-addr", ":9115"]

FROM base AS linkcheck-service
COPY --from=build /out/linkcheck-service /
EXPOSE 8080
ENTRYPOINT ["/linkcheck-service", "-addr", ":8080"]
