# The machines of the run @RUN@. Lead it from anywhere: stampede-shooter fleet run --nats @NATS@ --run @RUN@ --nodes @NODES@ …
# The variable `nomad/jobs/@NAME@` holds the credentials, as `creds`.
job "@NAME@" {
  type = "batch"

  group "node" {
    count = @NODES@

    # A machine that is lost is named by the run; another one could not take its place in the middle.
    restart {
      attempts = 0
      mode     = "fail"
    }
    reschedule {
      attempts  = 0
      unlimited = false
    }
    spread {
      attribute = "${node.unique.id}"
    }

    task "node" {
      driver = "docker"

      config {
        image = "@IMAGE@"
        args  = ["fleet", "node", "--nats", "@NATS@", "--nats-creds", "/secrets/node.creds", "--run", "@RUN@"]
      }

      # The index of an allocation is that of its segment, from 0.
      env {
        JOB_COMPLETION_INDEX = "${NOMAD_ALLOC_INDEX}"
        STAMPEDE_CACHE_DIR   = "${NOMAD_ALLOC_DIR}/cache"
        TMPDIR               = "${NOMAD_TASK_DIR}"
      }

      template {
        destination = "secrets/node.creds"
        data        = "{{ with nomadVar \"nomad/jobs/@NAME@\" }}{{ .creds }}{{ end }}"
      }

      resources {
        cores  = 2
        memory = 2048
      }

      kill_timeout = "60s"
    }
  }
}
