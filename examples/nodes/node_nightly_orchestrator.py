import jobs


def run():
    for job in jobs.all():
        job.start()
