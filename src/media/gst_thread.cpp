#include "media/gst_thread.h"

#include <pthread.h>

#include <memory>

namespace holdfast::media::gst {

namespace {

using Work = std::function<void()>;
using MessageWork = std::function<void(GstMessage*)>;

gboolean run_again(gpointer work) {
    (*static_cast<Work*>(work))();
    return G_SOURCE_CONTINUE;
}
gboolean run_once(gpointer work) {
    (*static_cast<Work*>(work))();
    return G_SOURCE_REMOVE;
}
void forget(gpointer work) { std::default_delete<Work>{}(static_cast<Work*>(work)); }

gboolean on_message(GstBus* /*bus*/, GstMessage* message, gpointer work) {
    (*static_cast<MessageWork*>(work))(message);
    return G_SOURCE_CONTINUE;
}
void forget_message_work(gpointer work) {
    std::default_delete<MessageWork>{}(static_cast<MessageWork*>(work));
}

}  // namespace

Thread::Thread()
    : context_(g_main_context_new()),
      loop_(g_main_loop_new(context_.get(), FALSE)),
      thread_([this] {
          pthread_setname_np(pthread_self(), "holdfast-media");
          g_main_context_push_thread_default(context_.get());
          g_main_loop_run(loop_.get());
          g_main_context_pop_thread_default(context_.get());
      }) {}

Thread::~Thread() {
    post([this] { g_main_loop_quit(loop_.get()); });
    thread_.join();
}

void Thread::post(Work work) {
    GSource* source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, run_once, std::make_unique<Work>(std::move(work)).release(),
                          forget);
    g_source_attach(source, context_.get());
    g_source_unref(source);
}

Ref<GSource> Thread::every(std::chrono::milliseconds interval, Work work) {
    Ref<GSource> source{g_timeout_source_new(static_cast<guint>(interval.count()))};
    g_source_set_callback(source.get(), run_again,
                          std::make_unique<Work>(std::move(work)).release(), forget);
    g_source_attach(source.get(), context_.get());
    return source;
}

Ref<GSource> Thread::watch(GstBus* bus, MessageWork work) {
    Ref<GSource> source{gst_bus_create_watch(bus)};
    g_source_set_callback(source.get(), G_SOURCE_FUNC(on_message),
                          std::make_unique<MessageWork>(std::move(work)).release(),
                          forget_message_work);
    g_source_attach(source.get(), context_.get());
    return source;
}

}  // namespace holdfast::media::gst
