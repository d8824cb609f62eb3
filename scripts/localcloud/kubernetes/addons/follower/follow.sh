# What Prometheus must know of the cluster, written to /known: the build that Debian ships cannot ask the API server.
# targets.json holds the pods that ask to be read; Prometheus sees a change of it by itself. The folder rules holds the
# rule files of the stacks; Prometheus is told when they changed.
set -u
/bin/busybox mkdir -p /tmp/bin /known/rules && /bin/busybox --install -s /tmp/bin && export PATH=/bin:/tmp/bin
known=nothing
while true; do
  kubectl get pods --all-namespaces --field-selector=status.phase=Running \
    --output=go-template-file=/follower/targets.tmpl > /known/targets.new && mv /known/targets.new /known/targets.json
  if listed=$(kubectl get configmaps --all-namespaces --selector="$RULES" \
    --output=go-template-file=/follower/rules.tmpl) && [ "$listed" != "$known" ]; then
    rm -rf /tmp/rules && mkdir /tmp/rules
    echo "$listed" | while read -r namespace name key _version; do
      [ "$key" ] && kubectl get configmap --namespace="$namespace" "$name" \
        --output=go-template="{{index .data \"$key\"}}" > "/tmp/rules/$namespace.$name.$key"
    done
    rm -f /known/rules/* && cp -r /tmp/rules/. /known/rules/
    # Until Prometheus has taken them, or said why it cannot, it is told again.
    wget -q -O /dev/null --post-data= "$RELOAD" && known=$listed && echo "rules: $listed"
  fi
  sleep 5
done
