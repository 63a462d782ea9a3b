// The thread that a vCPU runs on when JavaScript does not wait for it: started at the first runAsync, joined with the vCPU.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

class RunThread {
 public:
  RunThread() : thread_([this] { Serve(); }) {}
  ~RunThread() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  RunThread(const RunThread&) = delete;
  RunThread& operator=(const RunThread&) = delete;

  /** Runs `job` on the thread, after what was posted before. One at a time: the Vcpu refuses a second. */
  void Post(std::function<void()> job) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      job_ = std::move(job);
    }
    changed_.notify_one();
  }

 private:
  void Serve() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return job_ || stopping_; });
      if (!job_) return;
      const auto job = std::exchange(job_, nullptr);
      lock.unlock();
      job();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> job_;
  bool stopping_ = false;
  std::thread thread_;  // last: starts when the rest is there
};
