# A Kubernetes cluster on this machine, and upstream's tests on it or on another one. Included by the Makefile.
# With KUBECONFIG and KO_DOCKER_REPO set, all but cluster-down use that cluster.

# What `make conformance` tests, and which of the tests; all of hack/cluster/conformance-tests.txt when TESTS is empty.
BROKER_CLASS       ?= NatsJetStreamBroker
BROKER_TEMPLATES   ?=
CHANNEL_GROUP_KIND ?= NatsJetStreamChannel.messaging.knative.dev
CHANNEL_VERSION    ?= v1alpha1
TESTS              ?=

.PHONY: cluster
cluster: ## Bring up a Kubernetes cluster on this machine (Linux, root); repeat to repair it
	@hack/cluster/up.sh

.PHONY: cluster-down
cluster-down: ## Take that cluster down, without a trace
	@hack/cluster/down.sh

.PHONY: cluster-build
cluster-build: ## Only build what the cluster consists of
	@hack/cluster/build.sh

.PHONY: cluster-check
cluster-check: ## Run a pod that ko has built and that looks up a service
	@hack/cluster/check.sh

.PHONY: deploy-eventing
deploy-eventing: ## Install Knative Eventing with its in-memory channel and broker
	@hack/cluster/deploy-eventing.sh

.PHONY: deploy
deploy: deploy-eventing ## Install Knative Eventing, a NATS to try with, and this project
	@hack/cluster/deploy.sh

.PHONY: deploy-jetstream
deploy-jetstream: ## Install or update only NATS and this project
	@hack/cluster/deploy.sh

.PHONY: deploy-quickstart-test
deploy-quickstart-test: ## Run the README's Kubernetes example, after make deploy, and check what it shows
	@hack/cluster/quickstart.sh

.PHONY: e2e
e2e: ## Run our tests of a cluster, after make deploy
	@hack/cluster/e2e.sh

.PHONY: scale
scale: ## Measure the controllers with 1,500 Triggers on one Broker and with 200 Brokers, and write docs/scale.md
	@hack/cluster/scale.sh

.PHONY: conformance-build
conformance-build: ## Build Knative Eventing's own tests and the images that they start
	@hack/cluster/conformance-build.sh

.PHONY: conformance
conformance: conformance-build ## Run them on BROKER_CLASS and CHANNEL_GROUP_KIND; TESTS="TestA TestB" chooses some
	@BROKER_CLASS=$(BROKER_CLASS) BROKER_TEMPLATES=$(BROKER_TEMPLATES) \
	  CHANNEL_GROUP_KIND=$(CHANNEL_GROUP_KIND) CHANNEL_VERSION=$(CHANNEL_VERSION) hack/cluster/conformance.sh $(TESTS)
